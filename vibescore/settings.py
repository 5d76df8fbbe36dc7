"""Settings: flag, then environment (``VIBESCORE_*``), then ``config.toml`` in the home, then
default (CLI-07).

pydantic-settings checks them. It takes a third of a second to import, so what it found is kept in a
snapshot and used as long as neither the file nor the environment changes; where there is nothing to
check, it is not asked at all.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from vibescore import __version__
from vibescore.errors import ConfigError
from vibescore.snapshot import changed, remembered

PREFIX = "VIBESCORE_"
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 1.0, 120.0


class Settings(NamedTuple):
    """Checked settings, and for each where its value came from.

    ``plugins`` are the sources to use, None for all. ``http_timeout`` is in seconds, 0 for none.
    ``server`` is the address of the server to link to, ``ca_file`` names certificates to trust in
    place of the usual ones, and ``allow_http`` sends the device token in the clear, also beyond
    this computer.
    """

    debug: bool = False
    plugins: tuple[str, ...] | None = None
    trace_plugins: bool = False
    http_timeout: float = 20.0
    server: str | None = None
    ca_file: str | None = None
    allow_http: bool = False
    origins: Mapping[str, str] = MappingProxyType({})


VARIABLES = {PREFIX + name.upper(): name for name in Settings._fields if name != "origins"}


def home_directory(variables: Mapping[str, str], user_home: Path) -> Path:
    """Where vibescore keeps its files: ``VIBESCORE_HOME``, else ``~/.vibescore``."""
    named = variables.get("VIBESCORE_HOME", "").strip()
    return Path(named).expanduser().absolute() if named else user_home / ".vibescore"


def load_settings(home: Path, variables: Mapping[str, str]) -> Settings:
    """The settings that hold now. Raises ConfigError, which names the setting and the way out."""
    config = home / "config.toml"
    written = changed(config)
    ours = sorted(item for item in variables.items() if item[0].upper() in VARIABLES)
    if written is None and not ours:
        return Settings(origins=dict.fromkeys(VARIABLES.values(), "default"))
    values = remembered(
        home / "settings.snapshot.json",
        (__version__, written, ours),
        lambda: _resolve(config, variables)._asdict(),
    )
    plugins = values["plugins"]
    return Settings(**{**values, "plugins": None if plugins is None else tuple(plugins)})


def _resolve(config: Path, variables: Mapping[str, str]) -> Settings:
    """Let pydantic-settings check environment and file."""
    from vibescore.settings_model import check

    return Settings(**check(_read_config(config), variables, config))


def _read_config(config: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(config.read_text("utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{config} cannot be read: {error}. Mend it or move it away") from error

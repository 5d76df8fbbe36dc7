"""Settings: flag, then environment (``VIBESCORE_*``), then ``config.toml`` in the home, then
default (CLI-07).

pydantic-settings checks them. Because it takes a third of a second to import, what it found is
kept in a snapshot and used as long as neither the file nor the environment changed.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from vibescore import __version__
from vibescore.errors import ConfigError

PREFIX = "VIBESCORE_"
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 1.0, 120.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings, and for each where its value came from.

    ``plugins`` are the sources to use, None for all. ``http_timeout`` is in seconds, 0 for none.
    """

    debug: bool = False
    plugins: tuple[str, ...] | None = None
    trace_plugins: bool = False
    http_timeout: float = 20.0
    origins: Mapping[str, str] = field(default_factory=dict)


def home_directory(variables: Mapping[str, str], user_home: Path) -> Path:
    """Where vibescore keeps its files: ``VIBESCORE_HOME``, else ``~/.vibescore``."""
    named = variables.get("VIBESCORE_HOME", "").strip()
    return Path(named).expanduser().absolute() if named else user_home / ".vibescore"


def load_settings(home: Path, variables: Mapping[str, str]) -> Settings:
    """The settings that hold now. Raises ConfigError, which names the setting and the way out."""
    config, snapshot = home / "config.toml", home / "settings.snapshot.json"
    key = _key(config, variables)
    kept = _read_snapshot(snapshot)
    if kept.get("key") == key:
        return _settings(kept["values"])
    settings = _resolve(config, variables)
    _write_snapshot(snapshot, {"key": key, "values": asdict(settings)})
    return settings


def _key(config: Path, variables: Mapping[str, str]) -> str:
    """What the snapshot depends on: program version, change time of the file, and our variables."""
    try:
        changed = config.stat().st_mtime_ns
    except OSError:
        changed = 0
    ours = sorted((name, value) for name, value in variables.items() if name.startswith(PREFIX))
    return blake2b(repr((__version__, changed, ours)).encode(), digest_size=16).hexdigest()


def _settings(values: dict[str, Any]) -> Settings:
    plugins = values.pop("plugins")
    return Settings(plugins=None if plugins is None else tuple(plugins), **values)


def _read_snapshot(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _write_snapshot(path: Path, kept: dict[str, Any]) -> None:
    """Best effort, and only where the home already exists: reading settings creates nothing."""
    try:
        if path.parent.is_dir():
            beside = path.with_suffix(f".{os.getpid()}")
            beside.touch(mode=0o600)
            beside.write_text(json.dumps(kept), "utf-8")
            beside.replace(path)
    except OSError:
        pass


def _resolve(config: Path, variables: Mapping[str, str]) -> Settings:
    """Let pydantic-settings check environment and file."""
    from vibescore.settings_model import check

    return Settings(**check(_read_config(config), variables, config))


def _read_config(config: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(config.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{config} cannot be read: {error}. Mend it or move it away") from error

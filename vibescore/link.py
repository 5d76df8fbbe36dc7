"""Which server this computer is linked to, and as which device (QUE-08).

Server, device id and device token are all that is kept, in ``link.json``, readable by its owner
alone from the first byte. On the way of every automatic sync, hence no import that takes long.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from vibescore.digest import blake2b
from vibescore.errors import ConfigError

FILE = "link.json"
VARIABLE = "VIBESCORE_DEVICE_TOKEN"


class Link(NamedTuple):
    """A server (scheme, host, port and perhaps a path, no slash at the end), the id of the device
    there, empty where it is not known, and the device's token, which is never shown.
    """

    server: str
    device_id: str
    token: str

    def __repr__(self) -> str:
        return f"Link(server={self.server!r}, device_id={self.device_id!r}, token=…)"

    @property
    def key(self) -> str:
        """What stands for server and device; a token cannot be read from it."""
        device = self.device_id or blake2b(self.token.encode(), digest_size=16).hexdigest()
        return f"{self.server} {device}"


def load_link(home: Path, variables: Mapping[str, str], *, server: str | None) -> Link | None:
    """The link that holds, None when there is none.

    A token in VIBESCORE_DEVICE_TOKEN wins, and goes to ``server`` (of the settings), else to the
    server of the file; a token of the file goes to no other server than the file's. Raises
    ConfigError when the file cannot be used, or no server is known.
    """
    token = variables.get(VARIABLE, "").strip()
    saved = _saved(home / FILE, must_be_usable=not token)
    if not token or (saved and saved.token == token and server in (None, saved.server)):
        return saved
    address = server or (saved.server if saved else "")
    if not address:
        raise ConfigError(
            f"{VARIABLE} is set, but not whose it is: VIBESCORE_SERVER names the server"
        )
    return Link(address.rstrip("/"), "", token)


def save_link(home: Path, link: Link) -> None:
    """Keep a link in place of another one. Raises ConfigError when it cannot be written."""
    import tempfile

    path = home / FILE
    try:
        handle, beside = tempfile.mkstemp(prefix=".link.", dir=home)  # 0600, whatever the umask
    except OSError as error:
        raise ConfigError(_unwritable(path, error)) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(link._asdict(), file)
            file.flush()
            os.fsync(handle)
        os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(beside)
        raise ConfigError(_unwritable(path, error)) from error


def forget_link(home: Path) -> None:
    """Keep no link any more. Raises ConfigError when the file stays."""
    path = home / FILE
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be removed: {error.strerror}") from error


def _saved(path: Path, *, must_be_usable: bool) -> Link | None:
    try:
        kept = json.loads(path.read_text("utf-8"))
        link = Link(kept["server"], kept["device_id"], kept["token"])
        if all(isinstance(part, str) for part in link) and link.server and link.token:
            return link
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError):
        pass  # its text may hold the token, so it is not quoted
    if must_be_usable:
        raise ConfigError(f"{path} cannot be used: 'vibescore init' links this computer again")
    return None


def _unwritable(path: Path, error: OSError) -> str:
    return f"{path} cannot be written: {error.strerror}. Make its folder writable"

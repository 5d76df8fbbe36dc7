"""Small text files that belong to somebody, read and replaced as a whole: nobody ever sees half of
one, and links, owner and mode stay.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from vibescore.errors import ConfigError

PRIVATE = 0o600


def read(path: Path) -> str | None:
    """The UTF-8 text of a file with its line ends as they are, or None when there is none.

    Raises ConfigError when it cannot be read, is no plain file, or no text.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path} is not a plain file. Move it away")
        return path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} is not UTF-8 text (line {line}). Mend it") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def replace(path: Path, text: str, *, mode: int = PRIVATE) -> None:
    """Put ``text`` where ``path`` leads. A new file gets ``mode``; one that is there keeps mode and
    owner, and a link to it stays one.

    Raises ConfigError, and changes nothing, when the file is read-only or cannot be written.
    """
    real = Path(os.path.realpath(path))
    try:
        _write_beside(real, text, mode)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}. Nothing in it was changed"
        ) from error


def remove(path: Path) -> None:
    """Remove a file that may be gone, and leave a link to it. Raises ConfigError when the file
    stays.
    """
    try:
        Path(os.path.realpath(path)).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be removed: {error.strerror}") from error


def _write_beside(real: Path, text: str, mode: int) -> None:
    """In a file beside it, which then takes its place."""
    import tempfile

    there = _standing(real)
    if there and not there.st_mode & 0o222:
        raise PermissionError(0, "it is read-only, chmod u+w makes it writable")
    descriptor, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(descriptor)
        if there and os.name != "nt":
            _give_to(name, there)
        os.chmod(name, stat.S_IMODE(there.st_mode) if there else mode)
        os.replace(name, real)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _standing(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _give_to(name: str, there: os.stat_result) -> None:
    """The owner of the file that was there, where that is somebody else's."""
    mine = os.stat(name)
    if (mine.st_uid, mine.st_gid) != (there.st_uid, there.st_gid):
        os.chown(name, there.st_uid, there.st_gid)

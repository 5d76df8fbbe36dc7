"""Which computer this is, as a hash: what the operating system calls it stays here."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from vibescore.digest import blake2b

FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
"""Where systemd and D-Bus keep the id of an installation (machine-id(5))."""

MACHINES = "machines"
"""The fact in a store that tells on which day (since 1970, UTC) each computer last used it."""


def machine_key(files: Iterable[Path] = FILES) -> str:
    """Stands for this computer, and stays until its operating system is installed anew.

    Where the system has no id (some containers), its name on the network stands in.
    """
    return _hash("machine", _installed(files) or _asked() or _named())


def device_key(user_home: Path, machine: str) -> str:
    """Stands for the logs of a user on a computer, so that linking again finds the same device
    (SRV-04).

    Two computers with one home directory differ, as do two users of a computer. Where vibescore is
    installed and keeps its files makes no difference.
    """
    return _hash("device", machine, str(user_home))


def _hash(*parts: str) -> str:
    return blake2b("\0".join(("vibescore", *parts)).encode(), digest_size=32).hexdigest()


def _installed(files: Iterable[Path]) -> str:
    for path in files:
        with suppress(OSError, ValueError):
            if len(text := path.read_text("ascii").strip()) >= 32:
                return text
    return ""


def _asked() -> str:
    """What macOS and Windows answer when asked for their id."""
    with suppress(OSError, subprocess.SubprocessError):
        if sys.platform == "darwin":
            told = _told("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice")
            return _first(r'"IOPlatformUUID" = "([^"]+)"', told)
        if sys.platform == "win32":
            key = r"HKLM\SOFTWARE\Microsoft\Cryptography"
            return _first(r"REG_SZ\s+(\S+)", _told("reg", "query", key, "/v", "MachineGuid"))
    return ""


def _told(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def _named() -> str:
    import socket

    return f"{socket.gethostname()} {os.name}"

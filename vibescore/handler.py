"""The notify handler as a text: what a tool starts after each turn (NTF-04, NTF-05).

Pure: `posix_script` and `windows_script` write it, `posix_command` and `windows_command` are the
entries that start it, and `is_ours` knows them again, also those of other homes. What all of them
do stands in ``handler.sh`` and ``handler_windows.py``; only what differs between computers is
written here.
"""

import ntpath
import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

NAME = "vibescore-notify"
FOLDER = "notify"
"""The folder in the home with the stamps of the handler, and what is kept for uninstalling."""

WORD = re.compile(r"'((?:[^']|'')*)'|(\S+)")
SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""What a source may be called so that its name can stand in a script and in a file name."""


class Duty(NamedTuple):
    """What a handler has to do: start ``runtime`` for the home, and the original command of a
    source where there was one. ``originals`` has a key for every source.
    """

    home: str
    runtime: Sequence[str]
    originals: Mapping[str, Sequence[str]]


def posix_command(home: str, source: str) -> list[str]:
    """The entry that calls the handler in ``home``."""
    return [posixpath.join(home, "bin", NAME), f"--source={source}"]


def windows_command(home: str, source: str, runtime: Sequence[str]) -> list[str]:
    """The same for Windows, where a script needs its interpreter: the one beside the runtime, in
    the form that opens no window.
    """
    python = ntpath.join(ntpath.dirname(runtime[0]), "pythonw.exe")
    script = ntpath.join(home, "bin", f"{NAME}.py")
    return [python, "-I", "-S", script, f"--source={source}"]


def powershell(command: Sequence[str]) -> str:
    """A command as one text for PowerShell, which Gemini CLI runs hooks with on Windows."""
    return "& " + " ".join("'" + word.replace("'", "''") + "'" for word in command)


def words_of(text: object) -> list[str]:
    """The command in a text for ``sh`` or PowerShell; none when it is not one."""
    if not isinstance(text, str):
        return []
    if text.startswith("& "):
        return [quoted.replace("''", "'") or bare for quoted, bare in WORD.findall(text[2:])]
    try:
        return shlex.split(text)
    except ValueError:
        return []


def is_ours(command: Sequence[str] | None) -> bool:
    """Whether a command starts a handler of ours itself, wherever that lies; one that merely names
    it among its arguments is somebody else's.
    """
    return bool(command) and script_of(command or ()) is not None


def script_of(command: Sequence[str]) -> str | None:
    """The handler that a command starts, None when it starts none."""
    words = [word for word in command if not word.startswith("--source=")]
    if len(words) == len(command) or not words:
        return None
    script = words[3] if words[1:3] == ["-I", "-S"] and len(words) > 3 else words[0]
    name = re.split(r"[/\\]", script)[-1]
    return script if name in (NAME, f"{NAME}.py") else None


def source_of(command: Sequence[str]) -> str:
    """The source that a handler's command names."""
    names = [word for word in command if word.startswith("--source=")]
    return names[0].removeprefix("--source=") if names else ""


def home_of(script: str) -> str:
    """The home in which a handler lies."""
    parent = ntpath.dirname if script.endswith(".py") else posixpath.dirname
    return parent(parent(script))


def posix_script(duty: Duty, body: str) -> str:
    """The handler for everything that has a ``sh``; ``body`` is ``handler.sh``."""
    chained = {source: command for source, command in sorted(duty.originals.items()) if command}
    return "\n".join(
        [
            "#!/bin/sh",
            f"home={shlex.quote(duty.home)}",
            f'runtime() {{ exec {shlex.join(duty.runtime)} "$@"; }}',
            f"known() {{ {_is_one_of(sorted(duty.originals))}; }}",
            f"chained() {{ {_is_one_of(chained)}; }}",
            "original() {",
            "    case $source in",
            *(f'    {name}) exec {shlex.join(its)} "$@" ;;' for name, its in chained.items()),
            "    esac",
            "}",
            body,
        ]
    )


def _is_one_of(sources: Iterable[str]) -> str:
    """A shell command that succeeds if ``$1`` is one of the names."""
    names = "|".join(sources)
    return f"case $1 in {names}) ;; *) false ;; esac" if names else "false"


def windows_script(duty: Duty, body: str) -> str:
    """The handler for Windows; ``body`` is ``handler_windows.py``."""
    originals = {source: list(command) for source, command in sorted(duty.originals.items())}
    call = f"main(sys.argv[1:], {duty.home!r}, {list(duty.runtime)!r}, {originals!r})"
    return f"{body}\n\n{call}\n"

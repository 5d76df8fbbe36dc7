"""A plugin under watch: does a hook touch the computer, and what did it raise?

A plugin opens no file: the host reads (hookspecs).

Python reports files, processes and connections as audit events. Reading the environment, and
``hash()``, which is another in every process, are watched where they are. Importing a module inside
a hook is no offence, although it opens files.
"""

import builtins
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import FrameType
from typing import Any

from msgspec import field
from msgspec.structs import replace

from vibescore.errors import PluginError
from vibescore.model import Environment, Tree
from vibescore.plugins import Plugin

TOUCHING = {
    "open": "opens",
    "os.listdir": "lists",
    "os.mkdir": "makes",
    "os.remove": "removes",
    "os.rename": "renames",
    "os.scandir": "lists",
    "os.system": "runs",
    "shutil.copyfile": "copies",
    "socket.connect": "connects to",
    "socket.getaddrinfo": "looks up",
    "sqlite3.connect": "opens",
    "subprocess.Popen": "runs",
}
OF_PYTHON = frozenset({"importlib", "zoneinfo"})

_deeds: ContextVar[list[str] | None] = ContextVar("deeds", default=None)


class Watched(Plugin):
    """A plugin whose hooks are watched.

    ``deeds`` tells what they did that they must not, ``causes`` what they raised. ``alter`` lets
    its trees be read otherwise than it says.
    """

    deeds: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    alter: Callable[[Tree], Tree] = lambda tree: tree

    @classmethod
    def of(cls, plugin: Plugin) -> "Watched":
        return cls(plugin.name, state=plugin.state, problem=plugin.problem, hooks=plugin.hooks)

    def altered(self, alter: Callable[[Tree], Tree]) -> "Watched":
        """The same plugin with ``alter`` applied to each of its trees."""
        return replace(self, alter=alter)

    def discover(self, env: Environment) -> list[Tree]:
        return [self.alter(tree) for tree in super().discover(env)]

    def _call(
        self, stage: str, hook: str, consume: Callable[[Any], Any], arguments: dict[str, Any]
    ) -> Any:
        deeds: list[str] = []
        try:
            with _watching(deeds):
                return super()._call(stage, hook, consume, arguments)
        except PluginError as error:
            self.causes.append(f"{hook} raised {explained(error.__cause__ or error)}")
            raise
        finally:
            self.deeds += [f"{hook} {deed}" for deed in deeds]


def explained(error: BaseException) -> str:
    """What was raised, and where: for the author of the plugin, who may see their own samples."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


@contextmanager
def _watching(deeds: list[str]) -> Iterator[None]:
    """Whatever touches the computer meanwhile is added to ``deeds``."""
    _add_audit_hook()

    def reading(variables: Any, name: str) -> Any:
        if not _is_for_python():
            deeds.append(f"reads the variable {name}")
        return read(variables, name)

    def hashing(value: object) -> int:
        caller = sys._getframe(1)
        if caller.f_code.co_name != "__hash__" and not _is_of(caller, sys.stdlib_module_names):
            deeds.append("calls hash(), which is another in every process")
        return plain_hash(value)

    environ: Any = type(os.environ)
    read, plain_hash, token = environ.__getitem__, builtins.hash, _deeds.set(deeds)
    environ.__getitem__ = reading
    builtins.hash = hashing
    try:
        yield
    finally:
        builtins.hash = plain_hash
        environ.__getitem__ = read
        _deeds.reset(token)


@cache
def _add_audit_hook() -> None:
    """Once for the process: an audit hook cannot be removed."""
    sys.addaudithook(_note)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in TOUCHING:
        return
    deeds = _deeds.get()
    if deeds is not None and not _is_for_python():
        what = next((each for each in arguments if isinstance(each, str | bytes | tuple)), "")
        deeds.append(f"{TOUCHING[event]} {what!r}")


def _is_for_python() -> bool:
    """Whether Python itself asks: it imports a module, or looks up a time zone."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not isinstance(frame.f_locals.get("self"), Watched):
        if _is_of(frame, OF_PYTHON):
            return True
        frame = frame.f_back
    return False


def _is_of(frame: FrameType, packages: frozenset[str]) -> bool:
    """Whether the code of a frame belongs to one of these packages."""
    return frame.f_globals.get("__name__", "").partition(".")[0] in packages

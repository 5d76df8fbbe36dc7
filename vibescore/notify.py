"""Notify entries on this computer: installed, chained, looked at, and taken out again (NTF-01 to
NTF-08).

Plugins declare where a tool can be told to call us (`NotifyTarget`); everything is written here.
What stood there before is kept in the home, in ``notify/SOURCE.json``, until it is put back. All
sources share one handler, ``bin/vibescore-notify``, and what it starts is kept beside it.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from vibescore import atomic
from vibescore.digest import blake2b
from vibescore.entries import Entry, EntryError, JsonHook, Splice, TomlNotify
from vibescore.errors import ConfigError
from vibescore.handler import (
    FOLDER,
    NAME,
    SOURCE,
    Duty,
    home_of,
    is_ours,
    posix_command,
    posix_script,
    powershell,
    script_of,
    source_of,
    windows_command,
    windows_script,
)
from vibescore.model import NotifyTarget

Targets = Mapping[str, NotifyTarget]
"""What the plugins declare, by source."""


class State(StrEnum):
    """How an entry stands."""

    ABSENT = "tool not found"
    MISSING = "not installed"
    INSTALLED = "installed"
    CHANGED = "changed by somebody else"
    DEAD = "calls something that is gone"
    ELSEWHERE = "calls another home of vibescore"
    OFF = "installed, but switched off in the tool"
    UNUSABLE = "settings file cannot be used"


OURS = (State.INSTALLED, State.DEAD, State.OFF)
"""With these, an entry of this home stands in the settings."""


class Standing(NamedTuple):
    """The entry of a source: where it is or would be, how it stands, and the sentence that says
    why it is UNUSABLE.
    """

    source: str
    config: Path
    state: State
    problem: str = ""


class Done(NamedTuple):
    """What became of the entry of a source: whether its settings file was changed, or the sentence
    that says why it was left as it is.
    """

    source: str
    config: Path
    changed: bool = False
    problem: str = ""


class Backup(msgspec.Struct, frozen=True):
    """What makes a settings file again what it was before our entry.

    ``digest`` is that of the file as we left it: while it fits, undoing ``splice`` gives back every
    byte. When other things changed since, `Entry.put_back` takes ``original``. ``created`` says
    that there was no file, and ``command`` is what the handler chains.
    """

    config: str
    hook: str | None
    created: bool
    digest: str
    splice: Splice
    original: str | None
    command: list[str]

    @property
    def target(self) -> NotifyTarget:
        return NotifyTarget(Path(self.config), self.hook)


class Change(NamedTuple):
    """How the text of a settings file is to change (None: no file), and what then has to be kept
    to undo that.
    """

    before: str | None
    after: str | None
    backup: Backup | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """The notify entries that call a home of vibescore."""

    home: Path
    is_windows: bool = os.name == "nt"

    @property
    def handler(self) -> Path:
        """What the tools call."""
        return self.home / "bin" / (f"{NAME}.py" if self.is_windows else NAME)

    @property
    def runtime(self) -> list[str]:
        """What the handler starts; empty while nothing is installed."""
        with suppress(msgspec.MsgspecError):
            return msgspec.json.decode(_text(self._runtime_path) or "[]", type=list[str])
        return []

    def installed_at(self, source: str) -> float | None:
        """UTC seconds when the entry of a source last changed; None when there is none."""
        try:
            return self._backup_path(source).stat().st_mtime
        except OSError:
            return None

    def states(self, targets: Targets) -> list[Standing]:
        """How each entry stands; looking changes nothing."""
        return [self._standing(source, target) for source, target in _distinct(targets)]

    def plan(self, targets: Targets, runtime: Sequence[str]) -> list[Path]:
        """Every file that ``install`` would change or create (CLI-03); none when all is as it
        should be. Settings that cannot be used are not among them.
        """
        touched = []
        originals = self._originals()
        for source, target in self._present(targets):
            with suppress(ConfigError):
                change = self._installing(source, target, runtime)
                if change.before != change.after:
                    touched.append(target.config)
                if change.backup and change.backup != self._backup(source):
                    touched.append(self._backup_path(source))
                    originals[source] = change.backup.command
        if originals:
            texts = self._handler_texts(runtime, originals)
            touched += [path for path, text in texts.items() if _text(path) != text]
        return touched

    def install(self, targets: Targets, runtime: Sequence[str]) -> list[Done]:
        """Make every tool that is there call the handler, and the handler start ``runtime``, a
        command that will stay (CLI-04). Once more changes nothing; tools that are not there are
        left out.

        Raises ConfigError when the runtime is not there.
        """
        if not _is_there(runtime):
            raise ConfigError(
                f"{' '.join(runtime)} is not a program that tools could call later. Install "
                "vibescore to stay, for instance with 'pipx install vibescore[all]'"
            )
        return [
            _done(source, target.config, partial(self._install, source, target, runtime))
            for source, target in self._present(targets)
        ]

    def installed(self, targets: Targets) -> list[Path]:
        """The settings files that ``remove`` would look at because an entry of ours is, or was, in
        them.
        """
        kept = {Path(backup.config) for _, backup in self._backups()}
        ours = {each.config for each in self.states(targets) if each.state in OURS}
        return sorted(kept | ours)

    def remove(self, targets: Targets) -> list[Done]:
        """Put back what stood there before (NTF-03), and forget it. An entry that is not ours any
        more is left alone; a plugin that is gone is not needed.
        """
        kept = {source: backup.target for source, backup in self._backups()}
        done = [
            _done(source, target.config, partial(self._remove, source, target))
            for source, target in {**dict(_distinct(targets)), **kept}.items()
        ]
        if not any(self._backups()):
            atomic.remove(self.handler)
            atomic.remove(self._runtime_path)
        return done

    def _standing(self, source: str, target: NotifyTarget) -> Standing:
        try:
            return Standing(source, target.config, self._state(source, target))
        except ConfigError as error:
            return Standing(source, target.config, State.UNUSABLE, str(error))

    def _state(self, source: str, target: NotifyTarget) -> State:
        text = atomic.read(target.config)
        if text is None:
            return State.MISSING if _is_present(target) else State.ABSENT
        entry = self._entry(target)
        with _named(target.config):
            command, is_off = entry.found(text), entry.is_off(text)
        if command is None or not is_ours(command):
            return State.CHANGED if self._backup(source) else State.MISSING
        if not self._is_own(command):
            return State.ELSEWHERE if Path(script_of(command) or "").exists() else State.DEAD
        if not (self.handler.exists() and _is_there(self.runtime)):
            return State.DEAD
        return State.OFF if is_off else State.INSTALLED

    def _present(self, targets: Targets) -> Iterator[tuple[str, NotifyTarget]]:
        return (named for named in _distinct(targets) if _is_present(named[1]))

    def _install(self, source: str, target: NotifyTarget, runtime: Sequence[str]) -> bool:
        """Handler first: at no time does a tool call something that is not there."""
        last = self._backup(source)
        if last and last.config != str(target.config):
            self._remove(source, last.target)
            last = None
        change = self._installing(source, target, runtime)
        self._keep(source, change.backup)
        try:
            self._write_handler(runtime)
            return _apply(target.config, change)
        except ConfigError:
            self._keep(source, last)
            with suppress(ConfigError):
                self._write_handler(runtime)
            raise

    def _installing(self, source: str, target: NotifyTarget, runtime: Sequence[str]) -> Change:
        entry, text = self._entry(target), atomic.read(target.config)
        command = self._command(source, runtime)
        with _named(target.config):
            found = entry.found(text or "")
            known = self._backup(source)
            if found == command and known:
                return Change(text, text, known)
            before, last = self._without(target, text or "")
            after = entry.put(before, command)
            original, chained = entry.original(before), entry.found(before) or []
        return Change(
            text,
            after,
            Backup(
                str(target.config),
                target.hook,
                last.created if last else text is None,
                _digest(after),
                Splice.between(before, after),
                original,
                chained,
            ),
        )

    def _remove(self, source: str, target: NotifyTarget) -> bool:
        text = atomic.read(target.config)
        after = text
        with _named(target.config):
            if text is not None and self._is_own(self._entry(target).found(text)):
                after, last = self._without(target, text)
                if last and last.created and after.strip() in ("", "{}"):
                    after = None
        changed = _apply(target.config, Change(text, after))
        self._forget(source)
        return changed

    def _without(self, target: NotifyTarget, text: str) -> tuple[str, Backup | None]:
        """The text without an entry of ours, whichever home it calls, and what was known of it."""
        entry = self._entry(target)
        command = entry.found(text)
        if command is None or not is_ours(command):
            return text, None
        home = Path(home_of(script_of(command) or ""))
        last = _backup_in(home, source_of(command))
        if last is None or last.config != str(target.config):
            return entry.put_back(text, None), None
        if last.digest == _digest(text):
            return last.splice.undone(text), last
        without = entry.put_back(text, last.original)
        undone = last.splice.undone_anywhere(text)
        if undone is not None and entry.same(undone, without):
            return undone, last
        return without, last

    def _is_own(self, command: Sequence[str] | None) -> bool:
        """Whether a command calls the handler of this home."""
        script = script_of(command or ())
        return script is not None and os.path.realpath(home_of(script)) == os.path.realpath(
            self.home
        )

    def _command(self, source: str, runtime: Sequence[str]) -> list[str]:
        if not SOURCE.fullmatch(source):
            raise ConfigError(f"{source!r} cannot be the name of a source that is notified")
        if self.is_windows:
            return windows_command(str(self.home), source, runtime)
        return posix_command(str(self.home), source)

    def _entry(self, target: NotifyTarget) -> Entry:
        if target.hook is None:
            return TomlNotify()
        return JsonHook(target.hook, powershell) if self.is_windows else JsonHook(target.hook)

    def _backup_path(self, source: str) -> Path:
        return _backup_path(self.home, source)

    def _backup(self, source: str) -> Backup | None:
        return _backup_in(self.home, source)

    def _backups(self) -> Iterator[tuple[str, Backup]]:
        for path in sorted((self.home / FOLDER).glob("*.json")):
            if backup := self._backup(path.stem):
                yield path.stem, backup

    def _keep(self, source: str, backup: Backup | None) -> None:
        if backup is None:
            return self._forget(source)
        text = msgspec.json.format(msgspec.json.encode(backup)).decode() + "\n"
        return _update(self._backup_path(source), text)

    def _forget(self, source: str) -> None:
        atomic.remove(self._backup_path(source))
        atomic.remove(self.home / FOLDER / f"{source}.called")

    def _originals(self) -> dict[str, list[str]]:
        return {source: backup.command for source, backup in self._backups()}

    @property
    def _runtime_path(self) -> Path:
        return self.handler.with_name(f"{NAME}.json")

    def _write_handler(self, runtime: Sequence[str]) -> None:
        for path, text in self._handler_texts(runtime, self._originals()).items():
            _update(path, text, mode=0o700 if path == self.handler else atomic.PRIVATE)

    def _handler_texts(
        self, runtime: Sequence[str], originals: Mapping[str, Sequence[str]]
    ) -> dict[Path, str]:
        """The handler, and the note of what it starts."""
        from importlib.resources import files

        duty = Duty(str(self.home), runtime, originals)
        body = files("vibescore").joinpath(
            "handler_windows.py" if self.is_windows else "handler.sh"
        )
        script = windows_script if self.is_windows else posix_script
        return {
            self.handler: script(duty, body.read_text("utf-8")),
            self._runtime_path: msgspec.json.encode(list(runtime)).decode() + "\n",
        }


def _backup_path(home: Path, source: str) -> Path:
    return home / FOLDER / f"{source}.json"


def _backup_in(home: Path, source: str) -> Backup | None:
    """What is kept of a source. One that cannot be read counts as none: then our entry is taken
    out, and nothing put in its place.
    """
    text = _text(_backup_path(home, source))
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(text, type=Backup) if text else None
    return None


def _distinct(targets: Targets) -> list[tuple[str, NotifyTarget]]:
    """The sources by name. Where two share a settings file, which has one place for an entry, it
    belongs to the first: every call makes a sync of all sources.
    """
    by_file: dict[str, tuple[str, NotifyTarget]] = {}
    for source, target in sorted(targets.items()):
        by_file.setdefault(os.path.realpath(target.config), (source, target))
    return list(by_file.values())


def _is_present(target: NotifyTarget) -> bool:
    """Whether the tool is there: its settings file, or its home if the file may be created."""
    return target.config.exists() or (target.create and target.config.parent.is_dir())


def _is_there(runtime: Sequence[str]) -> bool:
    """Whether a command starts with the absolute path of a program."""
    return bool(runtime) and os.path.isabs(runtime[0]) and os.access(runtime[0], os.X_OK)


@contextmanager
def _named(config: Path) -> Iterator[None]:
    """What an entry cannot do is told with the name of the file."""
    try:
        yield
    except EntryError as error:
        raise ConfigError(f"{config} is left as it is: {error}. Mend it first") from error


def _done(source: str, config: Path, act: Callable[[], bool]) -> Done:
    try:
        return Done(source, config, changed=act())
    except ConfigError as error:
        return Done(source, config, problem=str(error))


def _apply(config: Path, change: Change) -> bool:
    """Change a settings file; whether there was something to change."""
    if change.before == change.after:
        return False
    if atomic.read(config) != change.before:
        raise ConfigError(f"{config} changed just now, and is left as it is. Try again")
    if change.after is None:
        atomic.remove(config)
    else:
        atomic.replace(config, change.after)
    return True


def _update(path: Path, text: str, *, mode: int = atomic.PRIVATE) -> None:
    """Write a file of ours, if it has to be."""
    if _text(path) == text:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.parent} cannot be created: {error.strerror}") from error
    atomic.replace(path, text, mode=mode)


def _text(path: Path) -> str | None:
    """The text of a file of ours; None when there is none that can be read."""
    try:
        return atomic.read(path)
    except ConfigError:
        return None


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()

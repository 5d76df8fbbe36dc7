"""Our entry in a tool's settings: how a text looks with it, and without it again (NTF-01, NTF-08).

Pure functions from text to text. `TomlNotify` is the ``notify`` command of a ``config.toml``,
`JsonHook` a command hook in a ``settings.json``, which may have comments. Both change nothing but
the entry, and read what came out before they hand it back.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from vibescore import jsonc
from vibescore.handler import is_ours, words_of

HOOK_NAME = "vibescore"
HOOK_TIMEOUT = 5000
"""Milliseconds that Gemini CLI waits for our hook, which takes a few."""

MARK = "\ufeff"
COMMENT_OF_A_TABLE = re.compile(r"\n[ \t]*\r?\n((?:[ \t]*#[^\n]*\n)+)\Z")


class EntryError(ValueError):
    """A text cannot take our entry, or give it up; says why, and in which line if that is known."""


class Splice(NamedTuple):
    """One change of a text: from ``start`` on, ``added`` stands for what ``was``."""

    start: int
    added: str
    was: str

    @classmethod
    def between(cls, before: str, after: str) -> "Splice":
        """The smallest change that makes ``after`` of ``before``."""
        start = _common(before, after)
        end = _common(before[start:][::-1], after[start:][::-1])
        return cls(start, after[start : len(after) - end], before[start : len(before) - end])

    def undone(self, after: str) -> str:
        """The text before the change."""
        return after[: self.start] + self.was + after[self.start + len(self.added) :]

    def undone_anywhere(self, later: str) -> str | None:
        """The same where other things changed since; None when what was added is not there once."""
        return later.replace(self.added, self.was) if later.count(self.added) == 1 else None


class Entry(Protocol):
    """A place for our entry in a kind of settings file. EntryError: the text is not of that kind,
    or cannot be changed without changing something else.
    """

    def found(self, text: str) -> list[str] | None:
        """The command in the place: ours, or somebody else's that has to make way for it."""

    def is_off(self, text: str, /) -> bool:
        """Whether the tool is told not to call what stands in the place."""

    def original(self, text: str) -> str | None:
        """What has to be kept of a text without our entry, for ``put_back``."""

    def put(self, text: str, command: Sequence[str]) -> str:
        """A text without our entry, with it."""

    def put_back(self, text: str, original: str | None) -> str:
        """A text with our entry, with the original in its place, and all else as it is."""

    def same(self, one: str, other: str) -> bool:
        """Whether two texts hold the same, however they are laid out; False for what is no text
        of that kind.
        """


class TomlNotify:
    """The top-level ``notify``, a command to which the tool adds one argument.

    There is one such place, so what stands in it is replaced; the handler chains it (NTF-02).
    """

    def found(self, text: str) -> list[str] | None:
        command = _toml(text).get("notify")
        if command is None:
            return None
        if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
            raise EntryError("its 'notify' is not a list of texts")
        return command

    def is_off(self, _text: str, /) -> bool:
        return False

    def original(self, text: str) -> str | None:
        """The value as it is written, with its comments and line breaks."""
        item = _document(text).get("notify")
        return None if item is None else str(item.as_string())

    def put(self, text: str, command: Sequence[str]) -> str:
        wanted = {**_toml(text), "notify": list(command)}
        document = _document(text)
        document["notify"] = list(command)
        after = _like(text, document.as_string())
        return _first(wanted, _above_comment(text, after), after)

    def put_back(self, text: str, original: str | None) -> str:
        wanted, document = _toml(text), _document(text)
        if original is None:
            del wanted["notify"], document["notify"]
        else:
            wanted |= _toml(f"notify = {original}")
            document["notify"] = _document(f"notify = {original}")["notify"]
        return _first(wanted, _like(text, document.as_string()))

    def same(self, one: str, other: str) -> bool:
        try:
            return _equal_toml(_toml(one), _toml(other))
        except EntryError:
            return False


@dataclass(frozen=True, slots=True)
class JsonHook:
    """A command hook for ``event``, beside those of others, so nothing has to be chained.

    ``join`` writes a command as one text for the shell that the tool runs it with.
    """

    event: str
    join: Callable[[Sequence[str]], str] = shlex.join

    def found(self, text: str) -> list[str] | None:
        """Our command; those of others do not have to make way."""
        places = self._places(_json(text))
        return next((command for _, command in places), None)

    def is_off(self, text: str, /) -> bool:
        settings = _json(text).get("hooksConfig")
        if not isinstance(settings, dict):
            return False
        disabled = settings.get("disabled")
        is_disabled = isinstance(disabled, list) and HOOK_NAME in disabled
        return is_disabled or settings.get("enabled") is False

    def original(self, text: str) -> str | None:
        """The innermost of what our entry needs around it that is there already."""
        hooks = self._hooks(_json(text))
        if hooks is None:
            return None
        return "event" if self.event in hooks else "hooks"

    def put(self, text: str, command: Sequence[str]) -> str:
        hook = {"type": "command", "command": self.join(command), "name": HOOK_NAME}
        definition = {"hooks": [{**hook, "timeout": HOOK_TIMEOUT}]}
        added: dict[str | None, tuple[jsonc.Path, dict[str, Any]]] = {
            None: ((), {"hooks": {self.event: [definition]}}),
            "hooks": (("hooks",), {self.event: [definition]}),
            "event": (("hooks", self.event), definition),
        }
        after = jsonc.add(_unmarked(text), *added[self.original(text)])
        wanted = _json(text)
        wanted.setdefault("hooks", {}).setdefault(self.event, []).append(definition)
        return _checked(_mark(text) + after, wanted)

    def put_back(self, text: str, original: str | None) -> str:
        places = list(self._places(_json(text)))
        if not places:
            return text
        path = self._outermost(_json(text), places[0][0], original)
        wanted = _json(text)
        del jsonc.value_at(wanted, path[:-1])[path[-1]]
        after = _mark(text) + jsonc.remove(_unmarked(text), path)
        return self.put_back(_checked(after, wanted), original)

    def same(self, one: str, other: str) -> bool:
        try:
            return _equal_json(_json(one), _json(other))
        except EntryError:
            return False

    def _hooks(self, document: dict[str, Any]) -> dict[str, Any] | None:
        hooks = document.get("hooks")
        if hooks is None and "hooks" not in document:
            return None
        if not isinstance(hooks, dict):
            raise EntryError("its 'hooks' is not an object")
        if not isinstance(hooks.get(self.event, []), list):
            raise EntryError(f"its 'hooks.{self.event}' is not a list")
        return hooks

    def _places(self, document: dict[str, Any]) -> Iterator[tuple[jsonc.Path, list[str]]]:
        """Where our hook stands, and the command there."""
        for at, definition in enumerate((self._hooks(document) or {}).get(self.event, [])):
            hooks = definition.get("hooks") if isinstance(definition, dict) else None
            for number, hook in enumerate(hooks if isinstance(hooks, list) else []):
                command = words_of(hook.get("command")) if isinstance(hook, dict) else []
                if is_ours(command):
                    yield ("hooks", self.event, at, "hooks", number), command

    def _outermost(self, document: Any, path: jsonc.Path, original: str | None) -> jsonc.Path:
        """What can go with our hook: all around it that holds nothing else and is ours too."""
        kept = {None: 0, "hooks": 1, "event": 2}[original]
        if len(jsonc.value_at(document, path[:-1])) > 1:
            return path
        path = path[:3]
        while len(path) - 1 > kept and len(jsonc.value_at(document, path[:-1])) == 1:
            path = path[:-1]
        return path


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    for at, (here, there) in enumerate(zip(one, other, strict=False)):
        if here != there:
            return at
    return min(len(one), len(other))


def _mark(text: str) -> str:
    return MARK if text.startswith(MARK) else ""


def _unmarked(text: str) -> str:
    return text.removeprefix(MARK)


def _document(text: str) -> Any:
    """The text as tomlkit edits it."""
    from tomlkit import parse
    from tomlkit.exceptions import TOMLKitError

    try:
        return parse(_unmarked(text))
    except TOMLKitError as error:
        raise EntryError(f"it cannot be edited: {error}") from error


def _like(text: str, after: str) -> str:
    """The changed text with the byte order mark, and in the change the line ends, of ``text``."""
    after = _mark(text) + after
    start, added, was = Splice.between(text, after)
    line_end = "\r\n" if "\r\n" in text else "\n"
    return text[:start] + re.sub("\r?\n", line_end, added) + text[start + len(was) :]


def _above_comment(text: str, after: str) -> str:
    """The changed text with a line that was added right before a table moved above the comment of
    that table.
    """
    start, added, was = Splice.between(text, after)
    comment = COMMENT_OF_A_TABLE.search(text[:start])
    if was or comment is None or not text[start:].lstrip(" \t").startswith("["):
        return after
    return text[: comment.start(1)] + added + text[comment.start(1) :]


def _toml(text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(_unmarked(text))
    except tomllib.TOMLDecodeError as error:
        raise EntryError(f"it is not valid TOML: {error}") from error


def _equal_toml(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """As texts, where NaN equals NaN, and True is not 1."""
    return repr(sorted(one.items())) == repr(sorted(other.items()))


def _first(wanted: dict[str, Any], *candidates: str) -> str:
    """The first text that holds exactly what is wanted."""
    for candidate in candidates:
        try:
            found = _toml(candidate)
        except EntryError:
            continue
        if _equal_toml(found, wanted):
            return candidate
    raise EntryError("'notify' cannot be changed in it without changing something else")


def _json(text: str) -> dict[str, Any]:
    try:
        document = jsonc.parse(_unmarked(text))
    except (ValueError, RecursionError) as error:
        raise EntryError(f"it is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise EntryError("it is not a JSON object")
    return document


def _equal_json(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return json.dumps(one) == json.dumps(other)


def _checked(after: str, wanted: dict[str, Any]) -> str:
    """The changed text, if it holds exactly what is wanted."""
    if not _equal_json(_json(after), wanted):
        raise EntryError("its hooks cannot be changed without changing something else")
    return after

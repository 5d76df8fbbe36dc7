"""JSON with comments as a text that is changed in one place: everything else stays as it was typed.

A document is an object. Places in it are paths of keys and positions; of equal keys the last one
counts, as in JavaScript.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Path = tuple[str | int, ...]
"""The way to a value: keys and positions."""

TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\r\n]*|/\*.*?\*/', re.DOTALL)
WHITE = " \t\r\n"
REST_OF_A_LINE = re.compile(r"[ \t]*(?=\r?\n)")
DECODER = json.JSONDecoder()


class Item(NamedTuple):
    """A member of an object or an element of an array: its key or position, its value, and where
    it, its value and its end are.
    """

    key: str | int
    value: Any
    start: int
    value_start: int
    end: int


def parse(text: str) -> Any:
    """What a text holds; an empty object where there is nothing but comments.

    Raises ValueError with the line, or RecursionError.
    """
    plain = _plain(text)
    return json.loads(plain) if plain.strip(WHITE) else {}


def value_at(document: Any, path: Path) -> Any:
    """The value in a document to which the path leads."""
    for key in path:
        document = document[key]
    return document


def add(text: str, path: Path, value: dict[str, Any]) -> str:
    """The text with a member at the end of an object, or an element at the end of an array, laid
    out like the rest of it.
    """
    if not _plain(text).strip(WHITE):
        above = "" if not text or text.endswith("\n") else _line_end(text)
        text += above + "{}" + _line_end(text)
    plain = _plain(text)
    at = _begin(plain, path)
    unit = _indentation(plain)
    items = list(_items(plain, at))
    if not items:
        return _filled(text, plain, at, value, unit)
    start, end = items[0].start, items[-1].end
    if unit is None or "\n" not in plain[at:start]:
        return f"{text[:end]}, {_written(plain, at, value, None, '')}{text[end:]}"
    before = plain[plain.rfind("\n", at, start) + 1 : start]
    line = REST_OF_A_LINE.match(plain, end)
    rest = line.end() if line else end  # behind a comment that belongs to the last one
    new = _line_end(text) + before + _written(plain, at, value, unit, before)
    return f"{text[:end]},{text[end:rest]}{new}{text[rest:]}"


def remove(text: str, path: Path) -> str:
    """The text without the member or element to which the path leads, and without its comma."""
    plain = _plain(text)
    items = list(_items(plain, _begin(plain, path[:-1])))
    at = max(number for number, item in enumerate(items) if item.key == path[-1])
    start, end = items[at].start, items[at].end
    if at:
        comma = plain.index(",", items[at - 1].end)
        return text[:comma] + text[comma + 1 : start].rstrip(WHITE) + text[end:]
    comma = plain.find(",", end, _after_white(plain, end) + 1)
    if comma >= 0:
        return text[:start] + (text[end:comma] + text[comma + 1 :]).lstrip(WHITE)
    return text[:start].rstrip(WHITE) + text[end:].lstrip(WHITE)


def _plain(text: str) -> str:
    """The text with blanks for comments, so that every place keeps its number."""
    return TOKENS.sub(
        lambda token: token[0] if token[0][0] == '"' else re.sub(r"[^\r\n]", " ", token[0]), text
    )


def _items(plain: str, at: int) -> Iterator[Item]:
    """What the object or array holds that begins at ``at``, in its order."""
    closing = "}" if plain[at] == "{" else "]"
    number, at = 0, _after_white(plain, at + 1)
    while plain[at] != closing:
        key: str | int = number
        start = at
        if closing == "}":
            key, at = DECODER.raw_decode(plain, at)
            at = _after_white(plain, _after_white(plain, at) + 1)
        value, end = DECODER.raw_decode(plain, at)
        yield Item(key, value, start, at, end)
        number, at = number + 1, _after_white(plain, end)
        if plain[at] == ",":
            at = _after_white(plain, at + 1)


def _after_white(plain: str, at: int) -> int:
    while at < len(plain) and plain[at] in WHITE:
        at += 1
    return at


def _begin(plain: str, path: Path) -> int:
    """Where the value begins to which the path leads; of equal keys the last one counts."""
    at = _after_white(plain, 0)
    for key in path:
        at = [item.value_start for item in _items(plain, at) if item.key == key][-1]
    return at


def _filled(text: str, plain: str, at: int, value: dict[str, Any], unit: str | None) -> str:
    """The text with a first member or element in what is empty, apart from comments."""
    end = _after_white(plain, at + 1)
    inside = text[at + 1 : end]
    if unit is None:
        return text[: at + 1] + _written(plain, at, value, None, "") + inside + text[end:]
    line = plain.rfind("\n", 0, at) + 1
    before = plain[line : _after_white(plain, line)]
    new = _line_end(text) + before + unit + _written(plain, at, value, unit, before + unit)
    below = inside if inside.strip(WHITE) else _line_end(text) + before
    return text[: at + 1] + new + below + text[end:]


def _written(plain: str, at: int, value: dict[str, Any], unit: str | None, before: str) -> str:
    """JSON of an element, or of the only member of ``value`` where an object begins at ``at``."""
    lines = json.dumps(value, indent=unit, ensure_ascii=False).split("\n")
    if plain[at] == "{":
        lines = [line.removeprefix(unit or "") for line in lines[1:-1]] or [lines[0][1:-1]]
    return (_line_end(plain) + before).join(lines)


def _indentation(plain: str) -> str | None:
    """By how much the members of the object are indented; None when it stands on one line."""
    at = _after_white(plain, 0)
    start = _after_white(plain, at + 1)
    if plain[start] == "}":
        return "  "
    if "\n" not in plain[at:start]:
        return None
    return plain[plain.rfind("\n", at, start) + 1 : start] or "  "


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"

"""What happens to logs, as pure functions: they are cut, rewritten, damaged, and say new things.

Whatever is drawn by lot comes from a seed: every run tries the same.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.inspect import Type

from vibescore.testing.fields import (
    Place,
    below,
    declared_places,
    decodes,
    lone,
    lone_fields,
    steps,
    takes_new_fields,
    takes_text,
)

SEED = 20_260_401
CUTS = 40
"""How many cuts behind lines are tried in a log."""
FEWER_CUTS = 12
"""How many cuts anywhere are tried in a log."""
VERSIONS = 8
"""How many versions of a document are tried."""
DAMAGES = 200
"""How many ways to damage a record are tried."""

CANARY = "canary-4c1d"
NEW = "a-field-of-tomorrow"
BROKEN = b'{"broken": "by a crash'
ODD_VALUES: tuple[Any, ...] = (
    None,
    -1,
    2**70,
    -(2**70),
    1e300,
    "no such thing",
    "",
    [],
    {},
    [{}],
    True,
)
ODD_NUMBERS = (-1, 2**70, -(2**70))
ODD_LINES = (
    BROKEN,
    b"",
    b" \t ",
    b"\0\0\0",
    b"\xff\xfe\xfa not UTF-8",
    b"null",
    b"true",
    b"12",
    b"-1e400",
    b'"text"',
    b"[]",
    b'[1, {"a": null}]',
    b'{"type": "a record of tomorrow", "payload": {"deep": [[{}]]}}',
    b'{"a":' * 3_000,
    b"not JSON at all",
)


def parsed(line: bytes | str) -> Any:
    """The JSON value in a line, or None."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def spelled(value: Any) -> bytes:
    """A JSON value as tools write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def spaced(value: Any) -> bytes:
    """The same with spaces, and every letter beyond ASCII escaped."""
    return json.dumps(value).encode()


def turned(value: Any) -> bytes:
    """The same with the keys of every object the other way round."""
    return spelled(_turned(value))


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _turned(inside) for key, inside in reversed(value.items())}
    return [_turned(inside) for inside in value] if isinstance(value, list) else value


def planted(value: Any, kinds: list[Type]) -> Any:
    """The value with a canary in every string that is not declared, and with new fields in every
    object.
    """
    if isinstance(value, str):
        return value if takes_text(kinds) else CANARY
    if isinstance(value, list):
        return [planted(inside, below(kinds, step)) for step, inside in steps(value)]
    if not isinstance(value, dict):
        return value
    said = {key: planted(inside, below(kinds, key)) for key, inside in value.items()}
    if takes_new_fields(kinds):
        said |= {NEW: CANARY, f"{NEW}s": [{f"{CANARY}-key": CANARY}]}
    return said


def cuts_behind_lines(content: bytes) -> list[int]:
    """Positions behind lines; the last is the end of the log."""
    ends = [place + 1 for place, byte in enumerate(content) if byte == 0x0A]
    return [*some([end for end in ends if end < len(content)]), len(content)]


def cuts_anywhere(content: bytes) -> list[int]:
    """Positions anywhere, mostly inside lines; the last is the end of the log."""
    return [*some(list(range(1, len(content))), FEWER_CUTS), len(content)]


def some(choices: list[Any], count: int = CUTS) -> list[Any]:
    """At most so many of the choices, in their order."""
    if len(choices) <= count:
        return choices
    drawn = Random(SEED).sample(range(len(choices)), count)
    return [choices[place] for place in sorted(drawn)]


def versions(content: bytes) -> list[bytes]:
    """What a document may have been before: its lists shorter. The newest is the last."""
    value = parsed(content)
    longest = max((len(inside) for _, inside in _lists(value)), default=0)
    lengths = some(list(range(longest)), VERSIONS)
    return [spelled(_shortened(value, length)) for length in lengths] + [content]


def _lists(value: Any) -> Iterator[tuple[Any, list[Any]]]:
    """The outermost lists of a document."""
    if isinstance(value, list):
        yield (), value
    elif isinstance(value, dict):
        yield from ((key, its) for key, its in value.items() if isinstance(its, list))


def _shortened(value: Any, length: int) -> Any:
    if isinstance(value, list):
        return value[:length]
    return value | {key: its[:length] for key, its in _lists(value)}


def shuffled(choices: list[bytes]) -> list[bytes]:
    """The same in another order, the newest first."""
    others = choices[:-1]
    Random(SEED).shuffle(others)
    return [choices[-1], *others]


def odd_lines(record: type[Struct]) -> list[bytes]:
    """Lines that are no usage: broken, foreign, or a lone field with a wrong type or number."""
    wrong = [spelled(lone(place, odd)) for place in lone_fields(record) for odd in ODD_VALUES]
    numbers = [spelled(lone(place, odd)) for place in lone_fields(record) for odd in ODD_NUMBERS]
    return [*ODD_LINES, *(line for line in wrong if not decodes(line, record)), *numbers]


def damages(value: Any, kinds: list[Type]) -> list[tuple[Place, str, Any]]:
    """A record with one declared field missing or odd, for every such field: which, how, and what
    became of it.
    """
    places = list(declared_places(value, kinds))
    odd = [
        (place, f"= {other!r}", _replaced(value, place, other))
        for place in places
        for other in ODD_VALUES
    ]
    gone = [
        (place, "missing", _without(value, place)) for place in places if isinstance(place[-1], str)
    ]
    return some(odd + gone, DAMAGES)


def _replaced(value: Any, place: Place, other: Any) -> Any:
    if not place:
        return other
    copy = value.copy()
    copy[place[0]] = _replaced(value[place[0]], place[1:], other)
    return copy


def _without(value: Any, place: Place) -> Any:
    copy = value.copy()
    if len(place) == 1:
        del copy[place[0]]
    else:
        copy[place[0]] = _without(value[place[0]], place[1:])
    return copy


def foreign(name: str) -> dict[str, bytes]:
    """Files of another tool, or of none, that happen to have such a name: what they are, and what
    is in them.
    """
    lines = [{"event": "login", "user": "u", "count": n, "data": [n]} for n in range(5)]
    document = {"kind": "settings", "entries": lines, "version": 3}
    return {
        f"{name} of another tool": b"".join(spelled(line) + b"\n" for line in lines),
        f"{name} that is another document": spelled(document),
        f"{name} that is empty": b"",
        f"{name} that is no text": Random(SEED).randbytes(4_000),
        f"{name} of broken records": b"\n".join(ODD_LINES),
    }


def fitting(pattern: str) -> str:
    """A path that a tree's pattern matches."""
    return pattern.replace("**", "foreign").replace("*", "foreign").replace("?", "x")

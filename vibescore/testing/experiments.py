"""What may happen to the samples of an author: other words, other spellings, litter, damage, other
fates. The checks let it happen and compare.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from vibescore.discover import COMPRESSED
from vibescore.model import Lines, ParseContext, Rows, Tree
from vibescore.reader import UNDECODABLE
from vibescore.testing.databases import limited, plant, queried
from vibescore.testing.fields import declared, named
from vibescore.testing.lab import Lab, Sample
from vibescore.testing.mutations import (
    cuts_behind_lines,
    damages,
    odd_lines,
    parsed,
    planted,
    spelled,
)
from vibescore.testing.readings import Reader, kept
from vibescore.testing.sandbox import Files, Sandbox

Writer = Callable[[Any], bytes]


def with_canaries(lab: Lab) -> Files:
    """The samples with canaries wherever the allowlist does not reach."""
    files = dict(lab.files)
    for sample in lab.samples:
        if isinstance(sample.reading, Rows):
            files[sample.path] = _planted_database(lab, sample, sample.reading)
        else:
            files[sample.path] = _rewritten(sample, partial(_planted, sample))
    return files


def _planted(sample: Sample, value: Any) -> bytes:
    return spelled(planted(value, sample.kinds))


def _planted_database(lab: Lab, sample: Sample, rows: Rows) -> bytes:
    path = lab.sandbox(lab.files).home / sample.path
    plant(path, rows.query)
    return path.read_bytes()


def respelled(lab: Lab, spell: Writer) -> Files:
    """The samples, but databases, with every JSON value written anew."""
    texts = [*lab.logs, *lab.documents]
    return {**lab.files, **{sample.path: _rewritten(sample, spell) for sample in texts}}


def _rewritten(sample: Sample, write: Writer) -> bytes:
    if sample.path.endswith(COMPRESSED):
        return sample.content
    if not sample.is_log:
        return _written(sample.content, write)
    return b"\n".join(_written(line, write) for line in sample.content.split(b"\n"))


def _written(text: bytes, write: Writer) -> bytes:
    value = parsed(text)
    return text if value is None else write(value)


def littered(sample: Sample) -> bytes:
    """A log with odd lines between all others; the first stays the first."""
    litter = b"\n".join(odd_lines(sample.reading.record)) + b"\n"
    first, *others = sample.content.rstrip(b"\n").split(b"\n")
    return b"".join(line + b"\n" + litter for line in (first, *others))


def without_skip(tree: Tree) -> Tree:
    """The tree with every line decoded."""
    if not isinstance(tree.reading, Lines):
        return tree
    return replace(tree, reading=replace(tree.reading, skip=None))


def with_rows_up_to(count: int, sample: Sample) -> Callable[[Tree], Tree]:
    """Makes trees of a database that holds only so many of its rows yet."""
    return lambda tree: limited(tree, count) if tree.reading == sample.reading else tree


def first_bad_cut(lab: Lab) -> str:
    """Where one cut is enough to count wrong, for a message; empty when it takes more."""
    for number, sample in enumerate(lab.samples):
        before = {each.path: each.content for each in lab.samples[:number]}
        for end in cuts_behind_lines(sample.content)[:-1] if sample.is_log else []:
            sandbox = lab.sandbox({**before, sample.path: sample.content[:end]})
            sandbox.sync()
            sandbox.fill(lab.files).sync()
            if lab.difference(sandbox.totals()):
                line = sample.content.count(b"\n", 0, end)
                return f"look at {sample.path}, cut behind line {line}; "
    return ""


def together(one: Reader, other: Reader) -> list[list[Any]]:
    """What two readings of a file tell, the one a record ahead of the other."""
    found: list[list[Any]] = [[], []]
    for record, late in zip([*one.records, None], [None, *other.records], strict=True):
        if record is not None:
            found[0].append(one.feed(record))
        if late is not None:
            found[1].append(other.feed(late))
    return found


def fates(sandbox: Sandbox, sample: Sample) -> Iterator[str]:
    """What may become of a file, one after the other; a sync has to follow each."""
    path, content = sample.path, sample.content
    half = content[: len(content) // 2]
    sandbox.sync()
    for what, act in (
        ("was cut off in place", partial(sandbox.put, path, half)),
        ("was written again in place", partial(sandbox.put, path, content)),
        ("was replaced by a shorter one", partial(sandbox.replace, path, half)),
        ("was replaced by the whole again", partial(sandbox.replace, path, content)),
        ("was replaced by a copy of itself", partial(sandbox.replace, path, content)),
        ("was deleted", partial(sandbox.remove, path)),
        ("was restored", partial(sandbox.put, path, content)),
    ):
        act()
        yield what


def damaged_records(lab: Lab, sample: Sample) -> Iterator[tuple[str, Struct, ParseContext]]:
    """Records that came out damaged but decode: what is wrong with each, and the context it is
    read in.
    """
    reader = Reader(sample.job, sample.claim, set())
    kinds = declared(sample.reading.record)
    for number, value in enumerate(_values(lab, sample), 1):
        for place, odd, other in damages(value, kinds):
            if record := _decoded(other, sample.reading.record):
                state = kept(reader.context.state)
                what = f"{named(place)} {odd} in record {number}"
                yield what, record, replace(reader.context, state=state)
        if record := _decoded(value, sample.reading.record):
            reader.feed(record)


def damaged_heads(lab: Lab, sample: Sample) -> Iterator[tuple[str, Any]]:
    """Heads that came out damaged but decode, or not at all: what is wrong with each."""
    yield "no head", None
    head = sample.tree.head
    for value in _values(lab, sample)[:1] if head else []:
        for place, odd, other in damages(value, declared(head)):
            if record := _decoded(other, head):
                yield f"{named(place)} {odd} in its head", record


def _values(lab: Lab, sample: Sample) -> list[Any]:
    """The records of a sample before they are decoded."""
    if isinstance(sample.reading, Rows):
        path = lab.original.home / sample.path
        names, rows = queried(path, sample.reading)
        return [dict(zip(names, row, strict=True)) for row in rows]
    if not sample.is_log:
        return [parsed(sample.content)]
    return [value for line in sample.content.split(b"\n") if (value := parsed(line)) is not None]


def _decoded(value: Any, struct: type[Struct] | None) -> Struct | None:
    """The record that the host makes of a value, None when it makes none."""
    try:
        return None if struct is None else msgspec.convert(value, struct, strict=False)
    except UNDECODABLE:
        return None

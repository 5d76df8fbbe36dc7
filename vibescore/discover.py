"""Finding the files of a tree (the first arrow of the line)."""

import fnmatch
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

COMPRESSED = ".zst"


class Found(NamedTuple):
    """A file as it stands: real path, size in bytes, change time in nanoseconds, device and
    inode.
    """

    path: str
    size: int
    mtime: int
    inode: str


Matches = tuple[re.Pattern[str] | None, ...]


def walk(root: Path, pattern: str) -> Iterator[Found]:
    """Files below ``root`` that match ``pattern`` (see Tree), each directory read once.

    Links are followed and give the real path, so that a file reached twice has one name (COL-04).
    A compressed file beside its plain form is left out: the plain one wins. What cannot be read is
    passed over.
    """
    parts = tuple(
        None if part == "**" else re.compile(fnmatch.translate(part)) for part in pattern.split("/")
    )
    yield from _scan(os.path.realpath(root), parts, {0}, set())


def _scan(directory: str, parts: Matches, places: set[int], links: set[str]) -> Iterator[Found]:
    """Files at and below a directory; ``places`` are the positions in the pattern that its entries
    may match.
    """
    places = places | {place + 1 for place in places if parts[place] is None}
    try:
        with os.scandir(directory) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError:
        return
    names = {entry.name for entry in entries}
    for entry in entries:
        if entry.name.endswith(COMPRESSED) and entry.name.removesuffix(COMPRESSED) in names:
            continue
        name = entry.name.removesuffix(COMPRESSED)
        matched = {place for place in places if _matches(parts[place], name)}
        if matched:
            yield from _visit(entry, parts, matched, links)


def _matches(part: re.Pattern[str] | None, name: str) -> bool:
    return part is None or part.match(name) is not None


def _visit(
    entry: os.DirEntry[str], parts: Matches, matched: set[int], links: set[str]
) -> Iterator[Found]:
    try:
        is_link = entry.is_symlink()
        path = os.path.realpath(entry.path) if is_link else entry.path
        if entry.is_dir():
            inside = {place if parts[place] is None else place + 1 for place in matched}
            inside = {place for place in inside if place < len(parts)}
            if inside and not (is_link and path in links):
                links.update({path} if is_link else ())
                yield from _scan(path, parts, inside, links)
        elif len(parts) - 1 in matched and entry.is_file():
            stat = entry.stat()
            yield Found(path, stat.st_size, stat.st_mtime_ns, f"{stat.st_dev}:{stat.st_ino}")
    except OSError:
        return


def stand(path: str) -> Found | None:
    """The file at ``path`` as it stands now, None when there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return Found(path, stat.st_size, stat.st_mtime_ns, f"{stat.st_dev}:{stat.st_ino}")


def stamped(found: Found) -> Found:
    """A database as it stands together with its write-ahead log: it has changed when that has."""
    log = stand(found.path + "-wal")
    if log is None:
        return found
    return found._replace(size=found.size + log.size, mtime=max(found.mtime, log.mtime))


def covers(root: str, pattern: str, path: str) -> bool:
    """Whether ``walk(root, pattern)`` gives ``path`` when it exists, links aside."""
    return path.startswith(os.path.join(root, "")) and _covers(
        pattern.split("/"), os.path.relpath(path, root).removesuffix(COMPRESSED).split(os.sep)
    )


def _covers(parts: list[str], names: list[str]) -> bool:
    if not parts or not names:
        return not parts and not names
    if parts[0] == "**":
        return any(_covers(parts[1:], names[passed:]) for passed in range(len(names)))
    return fnmatch.fnmatchcase(names[0], parts[0]) and _covers(parts[1:], names[1:])

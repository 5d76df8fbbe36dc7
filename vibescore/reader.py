"""Reading source files: bytes become allowlisted records, and nothing else (COL-01, COL-02).

A log is read in pieces of 1 MiB into one buffer. It is never mapped: a truncation under a map
kills the process.
"""

import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from vibescore.digest import blake2b
from vibescore.discover import COMPRESSED
from vibescore.model import Document, Lines, Reading, Rows, Skips, Tree, is_time

PIECE = 1 << 20
PAGE = 4096
APART = 1024
"""How far behind the start of a memory page is read to. Right behind it (by 1 to 31 bytes, where
large blocks of memory begin) some processors copy a file, which lies on whole pages, at a fifth of
the speed.
"""
FIRST_READ = 1 << 15
COMPRESSED_PIECE = 1 << 15
TAIL = 1024
MALFORMED = "malformed record"
ENDLESS = "line over 1 GiB"
LONGEST_LINE = 1 << 30
NEVER = rb"(?!)"
PADDING = b"\0\xef\xbb\xbf \t\r\n"
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

Position = int | float | str | None
"""Where a reading stopped: bytes of a log or document, or the last value of a query's first
column.
"""


class Piece(Struct):
    """Records read in one go, and the position right behind them; ``size`` in bytes, for
    progress.
    """

    records: list[Any]
    position: Position
    size: int = 0
    skips: Skips = field(default_factory=Skips)


def make_buffer() -> bytearray:
    """What ``read`` can read file after file into."""
    return bytearray(2 * PIECE)


def read(
    path: str, reading: Reading, position: Position = None, *, buffer: bytearray | None = None
) -> Iterator[Piece]:
    """What stands behind ``position`` (None: everything), piece by piece.

    Raises OSError when the file cannot be read.
    """
    if isinstance(reading, Lines):
        with _opened(path) as stream:
            start = position if isinstance(position, int) else 0
            if start:
                stream.seek(start)
            yield from _LineReader(stream, reading, buffer or make_buffer()).pieces(start)
    elif isinstance(reading, Document):
        yield _read_document(path, reading)
    else:
        yield _read_rows(path, reading, position)


def read_head(path: str, tree: Tree) -> tuple[bool, Any]:
    """Whether the file has anything whole to show yet, and its first record that decodes as
    ``tree.head``.
    """
    if tree.head is None or isinstance(tree.reading, Rows):
        return True, None
    if isinstance(tree.reading, Document):
        return True, _head_of_document(path, tree.head)
    with _opened(path) as stream:
        return _head_line(stream, tree.head)


def _head_of_document(path: str, head: type[Struct]) -> Any:
    """The document as ``head``, None if it is another one; OSError when it is none, or not yet."""
    try:
        return decoder(head).decode(Path(path).read_bytes().strip(PADDING))
    except msgspec.ValidationError:
        return None
    except UNDECODABLE as error:
        raise OSError("it is not a whole JSON document") from error


def _head_line(stream: io.RawIOBase, head: type[Struct]) -> tuple[bool, Any]:
    """Looks at the lines of the first MiB, or at as much as the first line needs."""
    text, looked = b"", 0
    while more := stream.read(PIECE if text else FIRST_READ):
        unended, text = len(text), text + more
        while (newline := text.find(b"\n", max(looked, unended))) >= 0:
            for record in _rescue(head, text[looked:newline], Skips()):
                return True, record
            looked = newline + 1
        if looked >= PIECE:
            return True, None
    for record in _rescue(head, text[looked:], Skips()):
        return True, record
    return looked > 0, None


def tail_hash(path: str, position: Position) -> bytes | None:
    """A hash of the up to 1024 bytes before ``position``: what is behind them continues the same
    log. None when the file is not there any more.
    """
    end = position if isinstance(position, int) else 0
    try:
        with open(path, "rb", buffering=0) as stream:
            stream.seek(max(end - TAIL, 0))
            return blake2b(stream.read(min(end, TAIL)) or b"", digest_size=8).digest()
    except OSError:
        return None


@contextmanager
def _opened(path: str) -> Iterator[io.RawIOBase]:
    with open(path, "rb", buffering=0) as stream:
        yield _Decompressed(stream) if path.endswith(COMPRESSED) else stream


class _Decompressed(io.RawIOBase):
    """The bytes inside a zstd file, of one frame or several; OSError when it is not whole."""

    def __init__(self, stream: io.RawIOBase) -> None:
        import zstandard

        self._stream = stream
        self._new_frame = zstandard.ZstdDecompressor().decompressobj
        self._error = zstandard.ZstdError
        self._frame: Any = None
        self._ready = memoryview(b"")

    def readinto(self, target: Any) -> int:
        while not self._ready:
            packed = self._stream.read(COMPRESSED_PIECE)
            if not packed:
                if self._frame is not None:
                    raise OSError("the zstd file is cut off")
                return 0
            self._ready = memoryview(self._unpack(packed))
        size = min(len(target), len(self._ready))
        target[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _unpack(self, packed: bytes) -> bytes:
        """What the next bytes of the file hold; where a frame ends, the next one begins."""
        unpacked = bytearray()
        while packed:
            self._frame = self._frame or self._new_frame()
            try:
                unpacked += self._frame.decompress(packed)
            except self._error as error:
                raise OSError(f"not a valid zstd file: {error}") from error
            packed = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        return bytes(unpacked)


class _LineReader:
    """Cuts a stream into lines and decodes those that may matter; holds one piece and one line at
    most.
    """

    def __init__(self, stream: io.RawIOBase, lines: Lines, buffer: bytearray) -> None:
        skip = re.compile(lines.skip or NEVER)
        self._stream = stream
        self._record = lines.record
        self._decode = decoder(lines.record).decode
        self._skippable = skip.match
        self._inherited = next(iter(skip.groupindex), None)
        self._buffer = buffer

    def pieces(self, position: int) -> Iterator[Piece]:
        """``position`` and those of the pieces are bytes before the first line that is not whole
        yet, which stands in the buffer from ``begin`` to ``end`` unless it was ``dropped``.
        """
        begin = end = APART
        dropped = 0
        while count := self._fill(end):
            fresh, end = end, end + count
            newline = self._buffer.find(b"\n", fresh, end)
            if newline >= 0:
                first = newline + 1 if dropped else begin
                records, skips, rest = self._lines(first, fresh, end)
                position += dropped + rest - begin
                begin, end, dropped = *self._moved(rest, end), 0
            else:
                records, skips, held = self._unended_yet(begin, end, dropped=dropped)
                if not held:
                    dropped, begin, end = dropped + end - begin, APART, APART
            yield Piece(records, position, count, skips)
        if end > begin and not dropped:
            yield from self._unended(position, begin, end)

    def _fill(self, end: int) -> int:
        """Reads what comes next to ``end``; a buffer that is too small is replaced, not grown,
        because others use it after us.
        """
        if end + PIECE > len(self._buffer):
            self._buffer, old = bytearray(end + end // 2 + PIECE), memoryview(self._buffer)
            self._buffer[:end] = old[:end]
        with memoryview(self._buffer) as view:
            return self._stream.readinto(view[end : end + PIECE]) or 0

    def _moved(self, begin: int, end: int) -> tuple[int, int]:
        """Moves the start of a line to the front of the buffer, to where it stays readable at once
        what follows it.
        """
        size = end - begin
        place = size + (APART - size) % PAGE
        with memoryview(self._buffer) as view:
            view[place - size : place] = view[begin:end]
        return place - size, place

    def _unended_yet(self, begin: int, end: int, *, dropped: int) -> tuple[list[Any], Skips, bool]:
        """Whether to hold a line whose end is not in sight: not if it cannot matter or is
        endless.
        """
        skips = Skips()
        if dropped:
            return [], skips, False
        if end - begin > LONGEST_LINE:
            skips.add(ENDLESS)
            return [], skips, False
        skipped = self._skippable(self._buffer, begin, end) if end - begin >= PIECE else None
        return self._stand_in(skipped), skips, not skipped

    def _lines(self, start: int, fresh: int, end: int) -> tuple[list[Any], Skips, int]:
        """Records of the whole lines from ``start``, and where the rest begins; there is no line
        end before ``fresh``.
        """
        buffer, find, skippable, decode = (
            self._buffer,
            self._buffer.find,
            self._skippable,
            self._decode,
        )
        records: list[Any] = []
        skips = Skips()
        skipped = None
        search = max(start, fresh)
        with memoryview(buffer) as view:
            while (newline := find(b"\n", search, end)) >= 0:
                if match := skippable(buffer, start, newline):
                    skipped = match
                else:
                    try:
                        record = decode(view[start:newline])
                    except UNDECODABLE:
                        records += _rescue(self._record, bytes(view[start:newline]), skips)
                    else:
                        if skipped and not self._has_time(record):
                            records += self._stand_in(skipped)
                        records.append(record)
                        skipped = None
                search = start = newline + 1
            records += self._stand_in(skipped)
        return records, skips, start

    def _has_time(self, record: Struct) -> bool:
        return self._inherited is None or is_time(getattr(record, self._inherited))

    def _stand_in(self, skipped: re.Match[bytes] | None) -> list[Any]:
        """A record with only what may be inherited from a skipped line."""
        if skipped is None or self._inherited is None:
            return []
        text = msgspec.json.encode(
            {self._inherited: skipped[self._inherited].decode("ascii", "replace")}
        )
        return [self._decode(text)]

    def _unended(self, position: int, begin: int, end: int) -> Iterator[Piece]:
        """A last line without its end is whole when it decodes: the start of an object never
        does.
        """
        if not self._skippable(self._buffer, begin, end):
            records = _rescue(self._record, bytes(self._buffer[begin:end]), Skips())
            if records:
                yield Piece(records, position + end - begin)


def _rescue(record: type[Struct], line: bytes | bytearray, skips: Skips) -> list[Any]:
    """The record of a line that a crash or an editor left NUL bytes or a byte order mark before."""
    text = line.strip(PADDING)
    if not text:
        return []
    try:
        return [decoder(record).decode(text)]
    except UNDECODABLE:
        skips.add(MALFORMED)
        return []


@lru_cache(maxsize=64)
def decoder(record: type[Struct]) -> msgspec.json.Decoder[Any]:
    """A decoder that also takes numbers written as strings."""
    return msgspec.json.Decoder(record, strict=False)


def _read_document(path: str, document: Document) -> Piece:
    data = Path(path).read_bytes()
    skips = Skips()
    return Piece(_rescue(document.record, data, skips), len(data), len(data), skips)


def _read_rows(path: str, rows: Rows, since: Position) -> Piece:
    """Rows behind ``since``, read-only: the database is the tool's, not ours."""
    skips = Skips()
    records: list[Any] = []
    try:
        with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as database:
            cursor = database.execute(rows.query, {"since": since})
            names = [column[0] for column in cursor.description]
            for row in cursor:
                since = row[0]
                records += _converted(dict(zip(names, row, strict=True)), rows.record, skips)
    except sqlite3.Error as error:
        raise OSError(f"not a readable database: {error}") from error
    return Piece(records, since, 0, skips)


def _converted(row: dict[str, Any], record: type[Struct], skips: Skips) -> list[Any]:
    try:
        return [msgspec.convert(row, record, strict=False)]
    except UNDECODABLE:
        skips.add(MALFORMED)
        return []

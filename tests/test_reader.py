"""Bytes become records: whatever a log looks like, each record is read once, in bounded memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from rollouts import Rollout, append
from support import Computer
from toy import Record

from vibescore import Lines
from vibescore.reader import MALFORMED, Position, read

MIB = 1 << 20
LOG = Lines(Record)
EVENTS = [Record(id=f"größer {number}", tokens=number, model="✓") for number in range(5)]
LINES = [
    json.dumps(
        {"id": its.id, "tokens": its.tokens, "model": its.model}, ensure_ascii=False
    ).encode()
    for its in EVENTS
]


def records(path: Path, reading: Lines = LOG, position: Position = None) -> list[object]:
    return [record for piece in read(str(path), reading, position) for record in piece.records]


@pytest.mark.requirement("COL-01")
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\n".join(LINES) + b"\n", id="plain"),
        pytest.param(b"\n".join(LINES), id="last line without its end"),
        pytest.param(b"\r\n".join(LINES) + b"\r\n", id="CRLF"),
        pytest.param(b"\r\n".join(LINES) + b"\r", id="CRLF torn between its bytes"),
        pytest.param(b"\xef\xbb\xbf" + b"\n".join(LINES) + b"\n", id="byte order mark"),
        pytest.param(b"\n".join(bytes(9_000) + line for line in LINES), id="NUL bytes before"),
        pytest.param(b"\n".join(LINES) + b"\n" + bytes(9_000), id="NUL bytes behind"),
        pytest.param(b"\n\n \t\n".join(LINES) + b"\n\n", id="empty lines"),
        pytest.param(b"\n".join(b" \t" + line + b" " for line in LINES), id="space around"),
    ],
)
def test_every_line_is_a_record(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(content)
    assert records(path) == EVENTS
    assert not any(piece.skips.counts for piece in read(str(path), LOG))


@pytest.mark.requirement("COL-01", "COL-09")
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(LINES[0][:-3], id="torn"),
        pytest.param(LINES[0][3:], id="without its beginning"),
        pytest.param(LINES[0] + LINES[1], id="two records"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"17", id="number"),
        pytest.param(b'{"id": 1, "tokens": 5}', id="wrong type"),
        pytest.param(b'{"id": "a"}', id="field missing"),
        pytest.param(LINES[0].replace(b"gr", b"g\0r"), id="NUL inside"),
        pytest.param(b'{"id": "\xff", "tokens": 5}', id="no UTF-8"),
        pytest.param(b'{"x": ' * 20_000 + b"1" + b"}" * 20_000, id="nested too deep"),
        pytest.param(b'{"x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", id="lists too deep"),
        pytest.param(b'{"id": "a", "tokens": 1e999}', id="endless number"),
    ],
)
def test_a_broken_line_is_counted_and_those_around_it_are_read(
    broken: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"\n".join([*LINES[:2], broken, *LINES[2:]]))
    (piece, *rest) = read(str(path), LOG)
    assert [record for part in (piece, *rest) for record in part.records] == EVENTS
    assert piece.skips.counts == {MALFORMED: 1}


@pytest.mark.requirement("COL-01")
@pytest.mark.parametrize("seed", range(2))
def test_lines_that_cross_the_pieces_are_read_whole_and_from_any_position(
    seed: int, tmp_path: Path
) -> None:
    random = Random(seed)
    path = tmp_path / "a.log"
    sizes = [random.choice((0, 90, 2_000, 300_000)) for _ in range(25)]
    wanted = [Record(id="ö" * size, tokens=number) for number, size in enumerate(sizes)]
    texts = (json.dumps({"id": record.id, "tokens": record.tokens}) for record in wanted)
    path.write_text("".join(f"{text}\n" for text in texts))
    pieces = list(read(str(path), LOG))
    assert [record for piece in pieces for record in piece.records] == wanted
    assert len(pieces) > 3
    for number, piece in enumerate(pieces):
        rest = [record for later in pieces[number + 1 :] for record in later.records]
        assert records(path, position=piece.position) == rest


@pytest.mark.requirement("COL-01")
@given(st.binary(max_size=200), st.integers(0, 400))
def test_reading_on_from_where_reading_stopped_misses_and_repeats_nothing(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, cut: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    content = b"\n".join([LINES[0], noise, *LINES[1:]]) + b"\n"
    path.write_bytes(content[:cut])
    first = list(read(str(path), LOG))
    append(path, content[cut:])
    position = first[-1].position if first else 0
    before = [record for piece in first for record in piece.records]
    whole = records(path)
    assert before + records(path, position=position) == whole
    assert [event for event in EVENTS[1:] if event in whole] == EVENTS[1:]


@pytest.mark.requirement("COL-01")
def test_a_line_of_100_mb_that_cannot_matter_takes_no_memory_and_hides_nothing(
    computer: Computer,
) -> None:
    path = Rollout(1).meta().save(computer.home)
    with path.open("ab") as file:
        file.write(b'{"timestamp":"2026-08-10T09:14:00.000Z","type":"response_item","payload":"')
        for _ in range(100):
            file.write(b"x" * MIB)
        file.write(b'"}\n')
        file.write(
            b'{"type":"event_msg","payload":{"type":"token_count","info":'
            b'{"last_token_usage":{"input_tokens":7,"output_tokens":1}}}}\n'
        )
    computer.collect([])
    tracemalloc.start()
    try:
        computer.collect()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [row.total_tokens for row in computer.totals().values()] == [8]
    assert peak < 60 * MIB


@pytest.mark.requirement("COL-01")
def test_a_huge_line_that_matters_is_read_and_costs_its_own_size(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b'{"content": "' + b"x" * 16 * MIB + b'", ' + LINES[3][1:] + b"\n" + LINES[4])
    tracemalloc.start()
    try:
        assert records(path) == EVENTS[3:]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * MIB


@pytest.mark.requirement("COL-03")
def test_a_compressed_log_of_several_frames_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.log.zst"
    content = b"\n".join(LINES)
    path.write_bytes(
        b"".join(zstandard.compress(content[at : at + 50]) for at in range(0, 500, 50))
    )
    assert records(path) == EVENTS


@pytest.mark.requirement("COL-09")
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[:-9], id="truncated"),
        pytest.param(lambda content: content[:7], id="truncated in its head"),
        pytest.param(lambda content: content[:40] + b"no zstd" + content[47:], id="overwritten"),
        pytest.param(lambda content: b"no zstd" + content, id="no zstd at all"),
        pytest.param(lambda content: content + b"no zstd", id="something behind"),
    ],
)
def test_a_damaged_compressed_log_is_an_error_of_the_file(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "a.log.zst"
    whole = zstandard.ZstdCompressor(write_checksum=True).compress(b"\n".join(LINES) + b"\n")
    path.write_bytes(damage(whole))
    with pytest.raises(OSError, match="zstd"):
        records(path)

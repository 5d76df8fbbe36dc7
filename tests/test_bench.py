"""The benchmarks' own promises: a corpus holds what its truth says, a document keeps its text."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from document import BEGIN, END, write_document
from figures import Figure, Goal
from ground import Machine
from hosts import Place, engines, made
from measure import BenchError
from population import BUSY, STEADY, Population, link
from reads import PAGE, board_asked_by, plan, statements
from report import Report
from rollouts import Counters, Record, Usage, moment, truth_of
from support import truth_row

HERE = BEGIN["tracker"]
PEOPLE = Population(100, 1)
GENERATOR = Path(__file__).resolve().parents[1] / "bench/corpus.py"
SEEN = Figure("first sync, wall", "s", [2.0, 2.2, 1.8], [1.0, 1.0, 1.0], "other", Goal(1.0, 0.8))
REPORT = Report(
    Machine("A processor", 2, 16.0, "3.11.7", "Linux 6"),
    scale=0.1,
    runs=3,
    corpora={"codex-1g-0.1": {"files": 1, "bytes": 9, "about": "codex-1g: 1 file"}},
    remarks=["other counts 9 tokens"],
    figures=[SEEN, Figure("something to come, wall", goal=Goal(2.5))],
)


class Responses:
    """Claude Code's logs, read as simply as can be: of each id the largest output, at the first
    time.
    """

    def __init__(self, home: Path) -> None:
        self._found: dict[str, list[Record]] = {}
        for path in home.glob(".claude/projects/**/*.jsonl"):
            for record in map(json.loads, path.read_bytes().splitlines()):
                if record["type"] == "assistant" and record["message"]["model"] != "<synthetic>":
                    self._found.setdefault(record["message"]["id"], []).append(record)

    @property
    def usages(self) -> list[Usage]:
        return [self._usage(records) for records in self._found.values()]

    def repeats(self) -> Iterator[int]:
        return (len(records) for records in self._found.values())

    def _usage(self, records: list[Record]) -> Usage:
        at = min(record["timestamp"] for record in records)
        messages = [record["message"] for record in records]
        used = max((message["usage"] for message in messages), key=lambda its: its["output_tokens"])
        cached, output = used["cache_read_input_tokens"], used["output_tokens"]
        fresh = used["input_tokens"] + used["cache_creation_input_tokens"] + cached
        counters = Counters(fresh, cached, output, 0, fresh + output)
        return Usage("claude-code", messages[0]["model"], moment(at.removesuffix("Z")), counters)


def test_the_corpus_of_claude_code_holds_what_its_truth_says(tmp_path: Path) -> None:
    corpus = ("claude-100m", str(tmp_path), "--scale", "0.05")
    subprocess.run([sys.executable, GENERATOR, *corpus], check=True, stdout=subprocess.DEVNULL)
    lines = (tmp_path / "truth.jsonl").read_text("utf-8").splitlines()
    responses = Responses(tmp_path)
    assert truth_of(responses) == dict(truth_row(json.loads(line)) for line in lines)
    assert max(responses.repeats()) > 4  # resumed sessions and sub-agents repeat what others said


def test_figures_are_written_between_their_markers_and_the_text_around_them_stays(
    tmp_path: Path,
) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"Above\n{HERE}\nolder figures\n{END}\nBelow\n", "utf-8")
    again = Report.from_json(json.loads(json.dumps(REPORT.as_json())))
    for report in (REPORT, again):
        write_document(report, document)
        text = document.read_text("utf-8")
        above, _, rest = text.partition(f"{HERE}\n")
        figures, _, below = rest.partition(f"{END}\n")
        assert (above, below) == ("Above\n", "Below\n")
        rows = [" ".join(line.split()) for line in figures.splitlines() if line.startswith("| ")]
        assert rows[-2:] == [
            "| first sync, wall | 2.000 s | 1.000 s (other) | 2 × | ≤ 1 × (0.8 ×) | **no** |",
            "| something to come, wall | not built yet | – | – | ≤ 2.5 × | – |",
        ]
        assert "A processor, 2 cores" in figures
        assert "- At scale 0.1, for a try" in figures


def test_a_document_without_markers_is_left_as_it_is(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("By hand", "utf-8")
    with pytest.raises(BenchError, match="lost its markers"):
        write_document(REPORT, document)
    assert document.read_text("utf-8") == "By hand"


def test_figures_of_the_server_stand_in_a_table_of_their_own(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    tables = "".join(
        f"{begin}\nolder figures of the {part}\n{END}\n" for part, begin in BEGIN.items()
    )
    document.write_text(tables, "utf-8")
    ingest = Figure("ingest", "rows/s", [60.0], [100.0], "driver", Goal(0.5, sign="≥"), "server")
    felt = Figure("felt", "ms", [51.0], [2.0], "idle", Goal(50, unit="ms"), "server")
    read = Figure("read", "ms", [4.9], [2.0], "SQL", Goal(1.5, extra=2.0), "server")
    report = replace(REPORT, figures=[ingest, felt, read], server_remarks=["by key"])

    write_document(Report.from_json(json.loads(json.dumps(report.as_json()))), document)

    text = document.read_text("utf-8")
    assert "older figures of the tracker" in text
    assert "older figures of the server" not in text
    rows = [" ".join(line.split()) for line in text.splitlines() if line.startswith("| ")]
    assert rows[2:] == [
        "| ingest | 60 rows/s | 100 rows/s (driver) | 0.6 × | ≥ 0.5 × | yes |",
        "| felt | 51.00 ms | 2.00 ms (idle) | 25.5 × | ≤ 50 ms | **no** |",
        "| read | 4.90 ms | 2.00 ms (SQL) | 2.45 × | ≤ 1.5 × + 2 ms | yes |",
    ]
    assert "- by key" in text


def test_a_population_holds_what_its_truth_says_or_is_refused(tmp_path: Path) -> None:
    people = Population(3, 10)
    (tmp_path / "empty").mkdir()
    with made(Place("SQLite", tmp_path / "empty")).opened() as db:
        people.fill(db)
        found = db.execute_sql("SELECT COUNT(*), SUM(total_tokens) FROM usage_half_hour")
        assert found.fetchone() == (3 * 10 + STEADY + BUSY, people.tokens)

    (tmp_path / "used").mkdir()
    with made(Place("SQLite", tmp_path / "used")).opened() as db:
        db.execute_sql(
            "INSERT INTO usage_half_hour VALUES ('x', 0, 'x', 'x', 'x', 1, 0, 0, 0, 1, 0)"
        )
        with pytest.raises(BenchError, match="rows and tokens"):
            people.fill(db)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Any]:
    """A database of PostgreSQL with a board of a hundred users."""
    _, *postgresql = engines(tmp_path, {})
    if not postgresql:
        pytest.skip("no PostgreSQL answers on this machine")
    with postgresql[0].empty(tmp_path) as place, place.opened() as db:
        link(db, PEOPLE.people)
        db.execute_sql(
            "INSERT INTO leaderboard_generation"
            " (period, generation, from_day, to_day, generated_at)"
            " VALUES ('week', 1, '2026-11-15', '2026-11-21', 0)"
        )
        db.execute_sql(
            "INSERT INTO leaderboard_snapshot"
            " (period, generation, position, rank, total_tokens, user_id)"
            " SELECT 'week', 1, row_number() OVER (), 1, '1', id FROM \"user\""
        )
        db.execute_sql("ANALYZE")
        yield db


@pytest.mark.parametrize(
    "lost",
    [
        "ALTER TABLE leaderboard_snapshot DROP CONSTRAINT leaderboard_snapshot_pkey",
        "ALTER TABLE user_settings DROP CONSTRAINT user_settings_pkey",
        "DROP INDEX leaderboard_snapshot_of_user",
    ],
)
def test_a_read_that_lost_its_index_shows_however_small_the_tables_are(
    lost: str, board: Any
) -> None:
    asked = statements(board, board_asked_by(PEOPLE.with_rows(STEADY)))
    assert "leaderboard_snapshot, Index Scan" in plan(board, asked, most=PAGE)
    board.execute_sql(lost)
    with pytest.raises(BenchError, match="looks at 102 rows"):
        plan(board, asked, most=PAGE)

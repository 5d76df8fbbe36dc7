"""The half-hour rows for other programs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from rollouts import Chat, Counters, Rollout, Truth, truth_of, write
from support import Computer, truth_row

COUNTERS = Counters._fields
FIELDS = ["source", "model", "hour_start", *COUNTERS]
ODD_MODEL = 'größer, "5"; größt\'es'


@pytest.fixture
def truth(computer: Computer) -> Truth:
    """Rows of two sources, with model names that need quoting, written in no order."""
    rollouts = [
        Rollout(1, "2026-08-10T23:50:00").meta().model("gpt-5.2").turns(2),
        Rollout(2, "2026-02-10T09:00:00").meta().model("gpt-5.10").turns(2).turns(1, at="11:31"),
        Rollout(3, "2026-02-10T08:00:00").meta().turns(1),
    ]
    rollouts[0].model(ODD_MODEL).turns(1)
    for rollout in rollouts:
        rollout.save(computer.home)
    chat = Chat(4, "2025-12-31T23:59:58").answer("m1", 10, 2, 1, 5, 1)
    write(chat.path(computer.home, ending=".json"), chat.document())
    computer.sync()
    return truth_of(*rollouts, chat)


def rows_of_jsonl(text: str) -> list[tuple[tuple[str, str, str], Counters]]:
    return [truth_row(json.loads(line)) for line in text.splitlines()]


def rows_of_csv(path: Path) -> list[tuple[tuple[str, str, str], Counters]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == FIELDS
        return [
            truth_row({name: int(its) if name in COUNTERS else its for name, its in row.items()})
            for row in reader
        ]


@pytest.mark.requirement("CLI-01", "COL-10")
def test_both_formats_give_every_row_once_and_in_key_order(
    computer: Computer, truth: Truth
) -> None:
    jsonl = computer.program("export")
    as_csv = computer.program("export", "--format", "csv")
    assert (jsonl.code, jsonl.errors, as_csv.code, as_csv.errors) == (0, "", 0, "")
    assert rows_of_jsonl(jsonl.output) == sorted(truth.items())
    path = computer.home / "usage.csv"
    path.write_text(as_csv.output, "utf-8")
    assert rows_of_csv(path) == sorted(truth.items())
    assert computer.program("export", "--format", "jsonl") == jsonl


@pytest.mark.requirement("CLI-01")
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_model_names_survive_a_shell_without_a_locale(
    form: str, computer: Computer, truth: Truth
) -> None:
    assert any(model == ODD_MODEL for _, model, _ in truth)
    usual = computer.program("export", "--format", form)
    plain = computer.program("export", "--format", form, LC_ALL="C", LANG="C")
    assert plain == usual


@pytest.mark.requirement("CLI-01")
def test_before_the_first_sync_there_is_nothing_but_the_heading_of_csv(computer: Computer) -> None:
    assert computer.run("export").output == ""
    assert computer.run("export", "--all").output == ""
    assert computer.run("export", "--format", "csv").output == ",".join(FIELDS) + "\n"


@pytest.mark.requirement("CLI-01", "BKF-04")
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_rows_that_were_set_back_to_zero_are_left_out_unless_all_are_wanted(
    form: str, computer: Computer
) -> None:
    chat = Chat(1).answer("m1", 10, 2, 1, 0, 0, model=None)
    path = chat.path(computer.home, ending=".json")
    write(path, chat.document())
    computer.sync()
    unknown = truth_of(chat)
    write(path, chat.answer("m2", 20, 2, 1, 0, 0, model="gemini-3-pro").document())
    computer.sync()
    known = truth_of(chat)
    assert unknown.keys() & known.keys() == set()
    everything = known | dict.fromkeys(unknown, Counters())
    assert exported(computer, form) == sorted(known.items())
    assert exported(computer, form, "--all") == sorted(everything.items())


def exported(
    computer: Computer, form: str, *options: str
) -> list[tuple[tuple[str, str, str], Counters]]:
    output = computer.run("export", "--format", form, *options).output
    if form == "jsonl":
        return rows_of_jsonl(output)
    return rows_of_csv(write(computer.home / "usage.csv", output.encode()))

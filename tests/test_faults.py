"""Whatever is wrong with one line, file or plugin: it is counted or named, and the rest goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from rollouts import Chat, Record, Rollout, append, compact, compress, event_msg, truth_of, write
from support import Computer, codex
from toy import Record as Line
from toy import counted, log, tokens, toy

from vibescore import UsageEvent

HEAD = b'{"timestamp":"2026-08-10T09:16:00.000Z","type":"event_msg","payload":'
COUNT = HEAD + b'{"type":"token_count","info":{"total_token_usage":{"input_tokens":%b}}}}'


def session(number: int = 1) -> Rollout:
    return Rollout(number).meta().model("gpt-5.1").turns(2)


def diagnostics(computer: Computer) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(computer.run("status", "--diagnostics").output)
    return shown


@pytest.mark.requirement("COL-09", "COL-10")
@pytest.mark.parametrize(
    "line",
    [
        pytest.param(COUNT % b"1" + b",", id="torn"),
        pytest.param(COUNT % b"1.5", id="fraction"),
        pytest.param(COUNT % b"true", id="truth value"),
        pytest.param(COUNT % b'"many"', id="word for a number"),
        pytest.param(COUNT % b"NaN", id="not a number"),
        pytest.param(COUNT % b"1e999", id="endless"),
        pytest.param(COUNT % b"1e30", id="float beyond 64 bits"),
        pytest.param(COUNT % b"9223372036854775808", id="2^63"),
        pytest.param(COUNT % b"18446744073709551616", id="2^64"),
        pytest.param(COUNT % (b"9" * 5_000), id="5,000 digits"),
        pytest.param(HEAD + b'{"type":"turn_context\xff"}}', id="no UTF-8 in a type"),
        pytest.param(HEAD.replace(b"Z", b"\xf0\x9f") + b"{}}", id="torn character in a time"),
        pytest.param(HEAD + b'{"x":' * 9_999 + b"1" + b"}" * 10_000, id="nested too deep"),
        pytest.param(HEAD + b"[" * 9_999 + b"]" * 9_999 + b"}", id="lists too deep"),
    ],
)
def test_a_line_that_makes_no_sense_is_skipped_and_counted(line: bytes, computer: Computer) -> None:
    rollout, other = session(1).raw(line).turns(1), session(2)
    for each in (rollout, other):
        each.save(computer.home)
    computer.sync()
    assert computer.export() == truth_of(rollout, other)
    assert sum(diagnostics(computer)["sources"]["codex"]["skipped_records"].values()) == 1


@pytest.mark.requirement("COL-09", "COL-10")
@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b'"id":"m9","tokens":{"input":18446744073709551616}', id="2^64"),
        pytest.param(b'"id":"m9","tokens":{"input":9223372036854775808}', id="2^63"),
        pytest.param(b'"id":"\xff\xfe","tokens":{"input":5}', id="no UTF-8 in an id"),
        pytest.param(b'"id":"m9","tokens":{"input":"many"}', id="word for a number"),
    ],
)
@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_a_chat_that_makes_no_sense_hides_no_other(
    part: bytes, ending: str, computer: Computer
) -> None:
    chat, other = Chat(1).write("m1"), Chat(2).answer("m2", 10, 2, 3, 4, 5)
    broken = b'{"timestamp":"2026-03-01T08:04:00.000Z",' + part + b"}"
    content = {
        ".json": chat.document().replace(b'"messages":[', b'"messages":[' + broken + b","),
        ".jsonl": compact(chat.header()) + b"\n" + broken + b"\n",
    }
    write(chat.path(computer.home, ending=ending), content[ending])
    write(other.path(computer.home, ending=".json"), other.document())
    computer.sync()
    assert computer.export() == truth_of(other)
    assert sum(diagnostics(computer)["sources"]["gemini"]["skipped_records"].values()) == 1


@pytest.mark.requirement("COL-09", "CLI-06")
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"messages":' + b"[" * 9_999 + b"]" * 9_999 + b"}", id="nested too deep"),
        pytest.param(b'{"sessionId":"s-1","messages":[{"id":"m1","tok', id="torn"),
        pytest.param(b"\xff\xfe", id="no text"),
    ],
)
def test_a_document_that_cannot_be_decoded_is_shown_and_hides_no_other(
    content: bytes, computer: Computer
) -> None:
    chat, other = Chat(1), Chat(2).answer("m2", 10, 2, 3, 4, 5)
    write(chat.path(computer.home, ending=".json"), content)
    write(other.path(computer.home, ending=".json"), other.document())
    computer.sync()
    assert computer.export() == truth_of(other)
    shown = diagnostics(computer)
    skipped = shown["sources"]["gemini"]["skipped_records"]
    assert len(shown["problems"]) + sum(skipped.values()) == 1


@pytest.mark.requirement("COL-09")
def test_numbers_that_only_their_sum_makes_too_large_stop_nothing(computer: Computer) -> None:
    """One of them may count, as long as the other files do."""
    for number in (1, 2):
        Rollout(number).meta().model("huge").usage(2**62, 0, 5, 0).save(computer.home)
    other = session(3)
    other.save(computer.home)
    for _ in range(2):
        computer.sync()
        rows = computer.export()
        assert {key: row for key, row in rows.items() if key[1] != "huge"} == truth_of(other)


@pytest.mark.requirement("COL-09")
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31"])
def test_a_time_out_of_this_world_stops_nothing(at: str, computer: Computer) -> None:
    rollout = session()
    strange: Record = {"timestamp": at, **event_msg({"type": "agent_message"})}
    path = rollout.save(computer.home)
    append(path, compact(strange | {"payload": {"type": "token_count", "info": None}}) + b"\n")
    computer.sync()
    assert computer.export() == truth_of(rollout)


@pytest.mark.requirement("COL-09")
def test_a_name_that_is_no_text_is_read_like_any_other(computer: Computer) -> None:
    rollout = session()
    path = bytes(rollout.save(computer.home))
    renamed = path.replace(b"rollout-", b"rollout-\xff\xfe-")
    Path(path.decode()).rename(renamed.decode("utf-8", "surrogateescape"))
    assert computer.sync().errors == ""
    assert computer.export() == truth_of(rollout)
    assert diagnostics(computer)["problems"] == []


@pytest.mark.requirement("COL-01", "COL-09")
def test_folders_broken_links_and_links_in_a_circle_are_passed_over(computer: Computer) -> None:
    rollout = session()
    path = rollout.save(computer.home)
    path.with_name("rollout-folder.jsonl").mkdir()
    path.with_name("rollout-broken.jsonl").symlink_to("nowhere")
    path.with_name("rollout-circle.jsonl").symlink_to("rollout-circle.jsonl")
    assert computer.sync().errors == ""
    assert computer.export() == truth_of(rollout)


@pytest.mark.requirement("COL-09", "CLI-06")
@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file nobody can read")
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read(computer: Computer) -> None:
    rollout = session()
    path = rollout.save(computer.home)
    path.with_name("rollout-mem.jsonl").symlink_to("/proc/self/mem")
    assert "cannot be read" in computer.sync().errors
    assert computer.export() == truth_of(rollout)
    (problem,) = diagnostics(computer)["problems"]
    assert problem["source"] == "codex"
    assert "cannot be read" in problem["what"]


@pytest.mark.requirement("COL-09", "CLI-06")
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: whole[: len(whole) // 2], id="truncated"),
        pytest.param(lambda whole: whole[:-200] + bytes(200), id="overwritten"),
    ],
)
def test_a_damaged_zst_is_named_and_counted_exactly_once_when_it_is_whole(
    damage: Callable[[bytes], bytes], computer: Computer
) -> None:
    rollout, other = session().turns(50), Chat(2).answer("m2", 10, 2, 3, 4, 5)
    write(other.path(computer.home, ending=".json"), other.document())
    path = compress(rollout.save(computer.home))
    whole = path.read_bytes()
    write(path, damage(whole))
    for _ in range(2):
        assert f"~/{path.relative_to(computer.home)}: cannot be read" in computer.sync().errors
        assert computer.export("gemini") == truth_of(other)
        assert len(diagnostics(computer)["problems"]) == 1
    write(path, whole)
    assert computer.sync().errors == ""
    assert computer.export() == truth_of(rollout, other)
    assert diagnostics(computer)["problems"] == []


def fails(*_: object) -> NoReturn:
    raise ValueError("what a log said")


def leaves(*_: object) -> NoReturn:
    sys.exit("what a log said")


@pytest.mark.requirement("COL-09", "PLG-02")
@pytest.mark.parametrize("hook", ["discover", "identify", "parse", "backfill_model"])
@pytest.mark.parametrize("failure", [fails, leaves], ids=["raises", "exits"])
def test_a_plugin_that_fails_in_a_hook_is_named_and_the_others_go_on(
    failure: Callable[[], NoReturn], hook: str, computer: Computer
) -> None:
    session().save(computer.home)
    log(computer, "a", ("e1", 5))
    no_model = Rollout(2, "2026-08-11T09:00:00").meta().turns(1)
    no_model.save(computer.home)
    broken = codex(**{hook: failure})
    summary = computer.collect([broken, toy()])
    assert computer.totals("toy") == counted(5)
    assert summary.problems
    assert {problem.source for problem in summary.problems} == {"codex"}
    assert not any("what a log said" in problem.what for problem in summary.problems)


@pytest.mark.requirement("COL-08", "COL-09")
def test_a_log_that_a_plugin_fails_over_halfway_is_read_on_when_the_plugin_is_mended(
    computer: Computer,
) -> None:
    ids = [f"{number}-{'x' * 1_000}" for number in range(3_000)]
    log(computer, "a", *((id, 1) for id in ids))

    def parse(records: list[Line]) -> Iterator[UsageEvent]:
        for record in records:
            if record.id == ids[2_000]:
                raise ValueError
            yield UsageEvent(record.id, record.at, record.model, tokens(record.tokens))

    (problem,) = computer.collect([toy(parse=parse)]).problems
    assert problem.what.startswith("plugin toy failed to parse")
    assert 0 < sum(row.total_tokens for row in computer.totals().values()) < 2_000
    assert computer.collect([toy()]).problems == []
    assert computer.totals() == counted(3_000)


@pytest.mark.requirement("COL-09", "PLG-02")
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(["event"], id="something else"),
        pytest.param([UsageEvent("e1", 0.0, "m", "many")], id="words for numbers"),  # type: ignore[arg-type]
        pytest.param([UsageEvent("e1", float("nan"), "m", tokens(1))], id="no time"),
        pytest.param([UsageEvent("e1", 0.0, 7, tokens(1))], id="a number for a model"),  # type: ignore[arg-type]
        pytest.param([UsageEvent(2**70, 0.0, "m", tokens(1))], id="an endless id"),
        pytest.param([UsageEvent("\udc80", 0.0, "m", tokens(1))], id="an id that is no text"),
        pytest.param(7, id="no list"),
    ],
)
def test_a_plugin_that_answers_nonsense_is_named_or_its_events_skipped(
    answer: object, computer: Computer
) -> None:
    rollout = session()
    rollout.save(computer.home)
    log(computer, "a", ("e1", 5))
    summary = computer.collect([*computer.plugins(), toy(parse=lambda: answer)])
    assert computer.totals("codex") == truth_of(rollout)
    skipped = computer.query("SELECT skips FROM file WHERE source = 'toy' AND skips <> '{}'")
    assert [problem.source for problem in summary.problems] == ["toy"] or skipped

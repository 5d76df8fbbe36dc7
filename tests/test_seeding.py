"""A store that was lost begins with what the server has of the computer: nothing shrinks there, and
nothing is counted twice (QUE-11).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest
from backend import TOKEN, Backend, says
from hypothesis import given, settings
from hypothesis import strategies as st
from linked import Desk, desk_at
from rollouts import Counters, Truth
from sessions import DAY, A, Log, Session, expected_rows, sessions
from sums import counters, models, total
from support import Computer, installed_plugins

from vibescore import TokenTotals
from vibescore.backfill import attribute
from vibescore.errors import Retryable
from vibescore.model import UNKNOWN, ZERO, Slot
from vibescore.reconcile import raised
from vibescore.throttle import Effort
from vibescore.upload import Sent

Models = Mapping[str, TokenTotals]
HERE = Slot("codex", 0)

tokens = st.builds(
    lambda input, output: TokenTotals.normal(input=input, output=output), counters, counters
)
sums = st.dictionaries(models, tokens, max_size=4) | st.fixed_dictionaries({UNKNOWN: tokens})
heirs = st.sampled_from(["a", "b", UNKNOWN])


def sent(slot: Models, heir: str = UNKNOWN) -> dict[str, TokenTotals]:
    """What is sent of a slot whose unknown tokens are given to ``heir`` when none is known."""
    rows = attribute({HERE: slot}, lambda _: heir)
    return {bucket.model: its for bucket, its in rows.items()}


def added(one: Models, other: Models) -> dict[str, TokenTotals]:
    return {name: one.get(name, ZERO) + other.get(name, ZERO) for name in {*one, *other}}


def size(slot: Models) -> int:
    return total(slot.values()).total_tokens


@pytest.mark.requirement("QUE-11")
@given(sums, sums)
def test_a_half_hour_is_never_less_than_the_logs_or_the_server_have(
    slot: Models, floor: Models
) -> None:
    floor = sent(floor)
    assert size(raised(slot, floor)) >= max(size(slot), size(floor))


@pytest.mark.requirement("QUE-11", "BKF-08")
@given(sums, heirs)
def test_logs_that_are_all_there_are_raised_by_nothing(slot: Models, heir: str) -> None:
    assert raised(slot, sent(slot, heir)) == slot


@pytest.mark.requirement("QUE-11", "BKF-08")
@given(sums, sums, heirs)
def test_logs_that_know_more_than_the_server_count_alone(
    before: Models, more: Models, heir: str
) -> None:
    now = added(before, more)
    assert raised(now, sent(before, heir)) == now


@pytest.mark.requirement("QUE-11")
@given(sums, sums, heirs)
def test_with_some_logs_lost_the_half_hour_keeps_its_total(
    left: Models, lost: Models, heir: str
) -> None:
    everything = added(left, lost)
    floor = sent(everything, heir)
    assert size(raised(left, floor)) == size(everything)


@pytest.mark.requirement("QUE-11")
@given(sums, sums)
def test_no_row_of_a_known_model_shrinks_where_the_logs_name_every_model(
    slot: Models, floor: Models
) -> None:
    known = {name: its for name, its in slot.items() if name != UNKNOWN}
    floor = sent(floor)
    after = raised(known, floor)
    for name, its in floor.items():
        if name != UNKNOWN:
            assert after[name].total_tokens == max(
                its.total_tokens, known.get(name, ZERO).total_tokens
            )


def spent(**counts: int) -> dict[str, TokenTotals]:
    return {model: TokenTotals.normal(input=count, output=0) for model, count in counts.items()}


RAISED = {
    "nothing was sent": (spent(a=5), {}, spent(a=5)),
    "nothing is left": ({}, spent(a=5, b=3), spent(a=5, b=3)),
    "nothing is left of unknown": ({}, spent(unknown=5), spent(unknown=5)),
    "each model for itself": (spent(a=9, b=1), spent(a=5, b=3), spent(a=9, b=3)),
    "unknown had joined": (spent(a=5, unknown=4), spent(a=9), spent(a=5, unknown=4)),
    "unknown had joined, and some is lost": (spent(a=5, unknown=3), spent(a=9), spent(a=9)),
    "unknown had joined another": (spent(b=5, unknown=3), spent(a=3), spent(b=5, unknown=3)),
    "unknown became known": (spent(a=5), spent(unknown=5), spent(a=5)),
    "unknown became known in part": (spent(a=2), spent(unknown=5), spent(a=2, unknown=3)),
    "unknown grew": (spent(unknown=7), spent(unknown=5), spent(unknown=7)),
    "a retraction was not sent": (
        spent(a=5, unknown=10),
        spent(a=15, unknown=10),
        spent(a=5, unknown=10),
    ),
}


@pytest.mark.requirement("QUE-11", "BKF-01")
@pytest.mark.parametrize("logs, floor, expected", RAISED.values(), ids=RAISED.keys())
def test_sums_are_raised_where_the_logs_know_less(
    logs: Models, floor: Models, expected: Models
) -> None:
    assert {model: its for model, its in raised(logs, floor).items() if its} == expected


@pytest.fixture
def desk(computer: Computer) -> Iterator[Desk]:
    """A linked computer whose server has what ten half-hours of two logs made."""
    with desk_at(computer) as desk:
        desk.spend(10, tokens=5, log="first")
        desk.spend(5, tokens=3, log="second")
        desk.collect()
        desk.deliver()
        desk.backend.requests.clear()
        yield desk


def lose_store(desk: Desk) -> None:
    for path in desk.computer.own.glob("vibescore.db*"):
        path.unlink()


def ingested(desk: Desk) -> list[str]:
    return [slug for slug in desk.backend.slugs() if slug == "ingest"]


@pytest.mark.requirement("QUE-11")
def test_with_all_logs_still_there_nothing_is_sent_again(desk: Desk) -> None:
    before = desk.backend.rows()
    lose_store(desk)
    assert desk.sync() == Sent()
    assert (desk.backend.rows(), ingested(desk)) == (before, [])
    assert desk.truth() == before


@pytest.mark.requirement("QUE-11")
@pytest.mark.parametrize("when", ["before the logs are read", "after they were read"])
def test_with_fewer_logs_no_row_shrinks_here_or_there(when: str, desk: Desk) -> None:
    before = desk.backend.rows()
    lose_store(desk)
    (desk.computer.home / "toy/second.log").unlink()
    if when.startswith("after"):
        desk.collect()
    assert desk.deliver() == Sent()
    assert (desk.backend.rows(), ingested(desk)) == (before, [])
    assert desk.truth() == before
    desk.sync()
    assert desk.computer.pending() == {}


@pytest.mark.requirement("QUE-11")
def test_with_no_logs_at_all_the_reports_still_know_everything(desk: Desk) -> None:
    before = desk.backend.rows()
    lose_store(desk)
    for path in (desk.computer.home / "toy").iterdir():
        path.unlink()
    desk.deliver()
    assert desk.truth() == desk.backend.rows() == before


@pytest.mark.requirement("QUE-11")
def test_with_more_in_the_logs_the_larger_total_is_sent(desk: Desk) -> None:
    lose_store(desk)
    desk.spend(2, tokens=100, log="first")
    (desk.computer.home / "toy/second.log").unlink()
    assert desk.sync() == Sent(rows=2, inserted=2)
    assert [its.total_tokens for its in desk.backend.rows().values()] == [105] * 2 + [8] * 3 + [
        5
    ] * 5
    assert desk.truth() == desk.backend.rows()


@pytest.mark.requirement("QUE-11")
def test_a_half_hour_grows_on_only_when_the_logs_know_more_than_was_kept(desk: Desk) -> None:
    lose_store(desk)
    (desk.computer.home / "toy/second.log").unlink()
    desk.sync()
    totals = []
    for _ in range(4):
        desk.spend(1, tokens=1, log="third")
        desk.sync()
        totals.append(next(iter(desk.backend.rows().values())).total_tokens)
    assert totals == [8, 8, 8, 9]


@pytest.mark.requirement("QUE-11")
def test_rows_are_fetched_page_by_page(desk: Desk) -> None:
    before = desk.backend.rows()
    desk.backend.page = 3
    lose_store(desk)
    (desk.computer.home / "toy/second.log").unlink()
    desk.sync()
    assert desk.backend.slugs() == ["device-rows"] * 4 + ["sync-ping"]
    assert desk.truth() == before


@pytest.mark.requirement("QUE-11")
def test_a_store_asks_its_server_once(desk: Desk) -> None:
    lose_store(desk)
    desk.sync()
    desk.spend(1)
    desk.sync()
    desk.computer.collect(desk.plugins, now=desk.hands.now, rebuild=True)
    desk.deliver()
    assert desk.backend.slugs().count("device-rows") == 1


@pytest.mark.requirement("QUE-11")
def test_before_the_server_has_told_what_it_knows_nothing_is_sent(desk: Desk) -> None:
    before = desk.backend.rows()
    lose_store(desk)
    (desk.computer.home / "toy/second.log").unlink()
    desk.collect()
    for effort in (Effort.AUTO, Effort.MANUAL, Effort.DRAIN):
        desk.backend.does(says(500))
        with pytest.raises(Retryable):
            desk.deliver(effort)
    assert (desk.backend.rows(), ingested(desk)) == (before, [])
    desk.deliver()
    assert (desk.backend.rows(), ingested(desk)) == (before, [])


@pytest.mark.requirement("QUE-11", "SRV-25")
def test_a_server_that_cannot_tell_what_it_has_gets_everything(desk: Desk) -> None:
    lose_store(desk)
    desk.collect()
    desk.backend.does(says(404))
    assert desk.deliver() == Sent(rows=10, skipped=10)


@pytest.mark.requirement("QUE-11", "CLI-12")
def test_a_rebuild_does_not_forget_what_the_server_told(desk: Desk) -> None:
    before = desk.backend.rows()
    lose_store(desk)
    (desk.computer.home / "toy/second.log").unlink()
    desk.sync()
    desk.computer.collect(desk.plugins, now=desk.hands.now, rebuild=True)
    desk.computer.forget_cursors()
    desk.sync()
    assert desk.truth() == desk.backend.rows() == before


@pytest.mark.requirement("QUE-11", "QUE-02")
def test_what_waits_is_sent_to_a_server_that_knows_the_computer_from_before(desk: Desk) -> None:
    desk.spend(1, tokens=50, start=6)
    desk.collect()
    with Backend.running() as other:
        other.stored[TOKEN] = dict(list(desk.backend.stored[TOKEN].items())[4:])
        moved = Desk(desk.computer, other, desk.hands)
        assert moved.deliver().rows == 5
        assert other.rows() == desk.truth()


def real(computer: Computer, backend: Backend) -> Desk:
    """A linked computer with the plugins that are installed."""
    return Desk(computer, backend, plugins=list(installed_plugins()))


CODEX = Session("codex", A, (20,), 100)
UNNAMED = Session("every-code", None, (20,), 7)


def row(source: str, model: str, hour: str, tokens: int) -> Truth:
    return {(source, model, f"{DAY}{hour}:00Z"): Counters(tokens, 0, 0, 0, tokens)}


@pytest.mark.requirement("QUE-11", "BKF-04", "BKF-06")
def test_an_unknown_row_of_the_server_is_taken_back_when_a_model_turns_up(
    computer: Computer,
) -> None:
    with Backend.running() as backend:
        desk = real(computer, backend)
        unnamed, known = Log(1, UNNAMED), Log(2, CODEX)
        unnamed.advance(computer)
        desk.sync()
        assert backend.rows() == row("every-code", UNKNOWN, "10:00", 7)
        lose_store(desk)
        known.advance(computer)
        desk.sync()
        assert backend.rows() == (row("codex", A, "10:00", 100) | row("every-code", A, "10:00", 7))


@pytest.mark.requirement("QUE-11", "BKF-05")
def test_a_row_of_the_server_goes_on_giving_its_model_to_its_neighbours(computer: Computer) -> None:
    with Backend.running() as backend:
        desk = real(computer, backend)
        unnamed, known = Log(1, UNNAMED), Log(2, CODEX)
        unnamed.advance(computer)
        known.advance(computer)
        desk.sync()
        before = backend.rows()
        assert before == row("codex", A, "10:00", 100) | row("every-code", A, "10:00", 7)
        lose_store(desk)
        for path in computer.home.rglob("*rollout-*"):
            if "/.codex/" in str(path):
                path.unlink()
        desk.sync()
        assert backend.rows() == desk.truth() == before


@pytest.mark.requirement("QUE-11", "BKF-06", "BKF-08")
@settings(max_examples=25)
@given(st.lists(sessions, min_size=1, max_size=5), st.data())
def test_whatever_was_sent_before_the_store_was_lost_the_logs_that_are_left_decide(
    used: list[Session], data: st.DataObject
) -> None:
    logs = [Log(number, session) for number, session in enumerate(used, 1)]
    responses = [log for log, session in zip(logs, used, strict=True) for _ in session.half_hours]
    with Computer.temporary() as computer, Backend.running() as backend:
        desk = real(computer, backend)
        for log in data.draw(st.permutations(responses)):
            log.advance(computer)
            if data.draw(st.booleans()):
                desk.sync()
            if data.draw(st.booleans()):
                lose_store(desk)
        desk.sync()
        assert desk.truth() == backend.rows() == expected_rows(used)


@pytest.mark.requirement("QUE-11", "QUE-01")
def test_a_store_from_before_there_was_a_server_is_brought_up_to_date(
    desk: Desk,
) -> None:
    before = desk.truth()
    with closing(sqlite3.connect(desk.computer.database)) as database, database:
        database.executescript(
            "DROP INDEX published_pending; DROP TABLE floor;"
            " ALTER TABLE published DROP COLUMN refused;"
            " ALTER TABLE published DROP COLUMN reason; PRAGMA user_version = 1;"
        )
    assert desk.computer.export() == before
    assert desk.computer.query("PRAGMA user_version") == [(1,)]
    desk.sync()
    assert desk.computer.query("PRAGMA user_version") == [(2,)]
    assert desk.truth() == before

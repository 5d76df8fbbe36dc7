"""What is published reaches the server, whatever it does: nothing is lost, nothing is doubled, and
nobody asks again too early (QUE-02 to QUE-07).

The server is a real one on a socket that misbehaves by script; the clock is one that only moves
when somebody sleeps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from backend import (
    TOKEN,
    Act,
    Backend,
    dribbles,
    hangs_up,
    loses_the_answer,
    says,
    stores_and_says,
)
from dying import dying
from linked import Desk, Hands, desk_at
from rollouts import Counters
from support import Computer

from vibescore.errors import Rejected, Retryable, Unauthorized, UploadError
from vibescore.model import iso_utc
from vibescore.throttle import Effort, Errand
from vibescore.upload import Sent, size_of

HALF_HOUR, DAY = 1800.0, 86_400.0
HOURS = ("00:00", "01:00", "02:00")
DATED = "Tue, 11 Aug 2026 02:00:00 GMT"


@pytest.fixture
def desk(computer: Computer) -> Iterator[Desk]:
    """A linked computer that its server knows, with five half-hours that wait."""
    with desk_at(computer) as desk:
        desk.collect()
        desk.deliver()
        desk.spend(5)
        desk.collect()
        desk.backend.requests.clear()
        yield desk


def assert_all_is_well(desk: Desk) -> None:
    """Once the server behaves, it has what the computer knows, and nothing waits."""
    desk.backend.script.clear()
    desk.deliver()
    assert desk.backend.rows() == desk.truth()
    assert desk.computer.pending() == {}


@pytest.mark.requirement("QUE-02")
def test_what_is_published_arrives_and_is_acknowledged(desk: Desk) -> None:
    assert desk.deliver() == Sent(rows=5, inserted=5)
    assert desk.backend.rows() == desk.truth()
    assert desk.computer.pending() == {}
    assert desk.deliver() == Sent()


@pytest.mark.requirement("COL-02", "COL-07", "QUE-02")
def test_nothing_but_half_hours_their_names_and_their_sums_leaves_the_computer(desk: Desk) -> None:
    desk.deliver()
    (request,) = desk.backend.requests
    assert json.loads(request.body).keys() == {"hourly"}
    for row in request.rows:
        assert row.keys() == {"hour_start", "source", "model", *Counters._fields}


@pytest.mark.requirement("QUE-02", "COL-08")
def test_a_replay_forced_by_hand_inserts_nothing(desk: Desk) -> None:
    desk.deliver()
    desk.computer.query("UPDATE published SET acked = 0")
    assert desk.deliver() == Sent(rows=5, skipped=5)
    assert desk.backend.rows() == desk.truth()


@pytest.mark.requirement("QUE-02")
def test_rows_carry_the_totals_so_far(desk: Desk) -> None:
    desk.deliver()
    desk.spend(1, tokens=7)
    desk.collect()
    assert desk.deliver() == Sent(rows=1, inserted=1)
    (row,) = desk.backend.requests[-1].rows
    assert row["total_tokens"] == 8
    assert desk.backend.rows() == desk.truth()


@pytest.mark.requirement("QUE-02")
def test_a_row_that_changes_while_it_is_on_its_way_stays_pending(desk: Desk) -> None:
    def changes(handler: Any, answer: Callable[[], Any]) -> None:
        desk.spend(1, tokens=90)
        desk.collect()
        handler.say(answer())

    desk.backend.does(changes)
    desk.backend.does(says(500))
    with pytest.raises(UploadError):
        desk.deliver()
    (row,) = desk.computer.pending().values()
    assert row.total_tokens == 91
    assert_all_is_well(desk)


WAITS = {None: 60.0, "60": 60.0, "7200": 7200.0, DATED: 7200.0, "3": 3.0, "nonsense": 60.0}
BUSY = [
    pytest.param(
        says(status) if asked is None else says(status, retry_after=asked),
        wait,
        id=f"{status} {asked}",
    )
    for status in (429, 502, 503, 504)
    for asked, wait in WAITS.items()
]


@pytest.mark.requirement("QUE-02", "QUE-05")
@pytest.mark.parametrize("busy, wait", BUSY)
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(
    busy: Act, wait: float, desk: Desk
) -> None:
    began = desk.hands.now
    desk.backend.does(*[busy] * 9)
    with pytest.raises(Retryable, match="is kept and sent later"):
        desk.deliver()
    said = wait if wait != 7200 else began + wait - desk.hands.now
    assert desk.next_auto == pytest.approx(said)
    assert desk.errand(Effort.AUTO) is Errand.WAIT
    assert len(desk.computer.pending()) == 5
    desk.hands.now += desk.next_auto - 0.01
    assert desk.errand(Effort.AUTO) is Errand.WAIT
    desk.hands.now += 0.02
    assert desk.errand(Effort.AUTO) is Errand.UPLOAD
    assert_all_is_well(desk)


@pytest.mark.requirement("QUE-05")
def test_a_server_that_asks_for_a_minute_is_asked_no_earlier_in_an_automatic_or_manual_sync(
    desk: Desk,
) -> None:
    desk.backend.does(says(503, retry_after="60"))
    with pytest.raises(Retryable):
        desk.deliver()
    assert desk.hands.slept == []
    for effort in Effort:
        assert desk.errand(effort) is Errand.WAIT
    desk.hands.now += 60
    for effort in Effort:
        assert desk.errand(effort) is Errand.UPLOAD


@pytest.mark.requirement("QUE-05")
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_within_a_run_a_short_trouble_is_waited_out(status: int, desk: Desk) -> None:
    desk.backend.does(says(status), hangs_up)
    assert desk.deliver() == Sent(rows=5, inserted=5)
    assert len(desk.hands.slept) == 2
    assert all(0.5 <= seconds <= 5 for seconds in desk.hands.slept)
    assert_all_is_well(desk)


@pytest.mark.requirement("QUE-05")
def test_after_three_tries_a_run_ends(desk: Desk) -> None:
    desk.backend.does(*[says(503)] * 3)
    with pytest.raises(Retryable):
        desk.deliver()
    assert desk.backend.slugs() == ["ingest"] * 3
    assert len(desk.hands.slept) == 2


@pytest.mark.requirement("QUE-05")
@pytest.mark.parametrize("asked", ["1", "4", "5"])
def test_a_short_request_to_wait_is_heeded_within_the_run(asked: str, desk: Desk) -> None:
    desk.backend.does(says(429, retry_after=asked))
    assert desk.deliver().rows == 5
    (slept,) = desk.hands.slept
    assert slept >= float(asked)


@pytest.mark.requirement("QUE-05")
@pytest.mark.parametrize("status", [500, 501, 505])
def test_a_server_that_is_broken_is_not_asked_again_at_once(status: int, desk: Desk) -> None:
    desk.backend.does(says(status))
    with pytest.raises(Retryable, match="out of order"):
        desk.deliver()
    assert desk.backend.slugs() == ["ingest"]
    assert desk.next_auto == 60
    assert_all_is_well(desk)


@pytest.mark.requirement("QUE-05")
def test_backoff_grows_from_run_to_run_and_ends_with_the_first_success(desk: Desk) -> None:
    waits = []
    for _ in range(7):
        desk.backend.does(says(500))
        with pytest.raises(Retryable):
            desk.deliver()
        waits.append(desk.next_auto)
        desk.hands.now += desk.next_auto
    assert waits == [60, 120, 240, 480, 960, 1800, 1800]
    desk.deliver()
    assert desk.pace.failures == 0
    assert desk.next_auto == 0


AMBIGUOUS = {
    "the answer is lost": loses_the_answer,
    "the answer is garbage": stores_and_says(b"<html>"),
    "the answer is half": stores_and_says(b'{"success": true, "ins'),
    "the answer says no": stores_and_says(b'{"success": false, "inserted": 0, "skipped": 0}'),
    "the answer never ends": dribbles,
}


@pytest.mark.requirement("QUE-02")
@pytest.mark.parametrize("act", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_whether_the_server_stored_it_or_not_nothing_is_lost_or_doubled(
    act: Act, desk: Desk
) -> None:
    desk.timeout = 0.3
    desk.backend.does(*[act] * 3)
    with pytest.raises(UploadError):
        desk.deliver()
    assert desk.backend.rows() == desk.truth()
    assert len(desk.computer.pending()) == 5
    desk.spend(2, tokens=4)
    desk.collect()
    assert_all_is_well(desk)


@pytest.mark.requirement("QUE-02", "QUE-05")
def test_a_lost_answer_is_made_up_for_within_the_run(desk: Desk) -> None:
    desk.backend.does(loses_the_answer)
    assert desk.deliver() == Sent(rows=5, skipped=5)
    assert desk.backend.rows() == desk.truth()


@pytest.mark.requirement("QUE-06", "CLI-05")
def test_a_token_that_is_not_valid_any_more_stops_the_run(desk: Desk) -> None:
    del desk.backend.stored[TOKEN]
    with pytest.raises(Unauthorized, match="'vibescore init' links it again"):
        desk.deliver()
    assert desk.backend.slugs() == ["ingest"]
    assert len(desk.computer.pending()) == 5
    desk.backend.stored[TOKEN] = {}
    assert_all_is_well(desk)


@pytest.mark.requirement("QUE-09", "QUE-06")
@pytest.mark.parametrize("status, code", [(400, "API_VERSION"), (400, "BAD_REQUEST"), (403, "X")])
def test_a_request_that_is_refused_as_a_whole_ends_the_run_and_sets_nothing_aside(
    status: int, code: str, desk: Desk
) -> None:
    desk.backend.does(says(status, json.dumps({"error": code, "row": None}).encode()))
    with pytest.raises(Rejected) as told:
        desk.deliver()
    assert (told.value.status, told.value.code) == (status, code)
    assert desk.next_auto == 60
    assert_all_is_well(desk)


def refused(desk: Desk) -> list[tuple[str, str]]:
    """Half-hours that were set aside, and why."""
    with desk.computer.opened() as store:
        return [(iso_utc(each.bucket.start)[11:16], each.reason) for each in store.refused()]


def at(*hours: str) -> Callable[[dict[str, Any]], str | None]:
    """A server that refuses the rows of these half-hours."""
    return lambda row: "total_tokens" if row["hour_start"][11:16] in hours else None


@pytest.mark.requirement("QUE-06")
def test_a_row_that_is_refused_is_set_aside_with_the_reason_and_the_rest_goes_on(
    desk: Desk,
) -> None:
    desk.backend.refuses = at("00:30", "01:30")
    assert desk.deliver() == Sent(rows=3, inserted=3, refused=2)
    reason = "total_tokens is refused (INVALID_ROW)"
    assert refused(desk) == [("00:30", reason), ("01:30", reason)]
    taken = {key: its for key, its in desk.truth().items() if key[2][11:16] in HOURS}
    assert desk.backend.rows() == taken
    desk.backend.requests.clear()
    assert desk.deliver() == Sent()
    assert desk.backend.slugs() == ["sync-ping"]


@pytest.mark.requirement("QUE-06")
def test_a_refused_row_comes_back_when_its_totals_change(desk: Desk) -> None:
    desk.backend.refuses = at("00:00")
    desk.deliver()
    desk.backend.refuses = at()
    assert desk.deliver() == Sent()
    desk.spend(1, tokens=3)
    desk.collect()
    assert desk.deliver() == Sent(rows=1, inserted=1)
    assert refused(desk) == []
    assert desk.backend.rows() == desk.truth()


@pytest.mark.requirement("QUE-06")
def test_draining_sends_refused_rows_again(desk: Desk) -> None:
    desk.backend.refuses = at("00:00", "00:30")
    desk.deliver()
    desk.backend.refuses = at("00:30")
    assert desk.deliver(Effort.DRAIN) == Sent(rows=1, inserted=1, refused=1)
    assert [hour for hour, _ in refused(desk)] == ["00:30"]


@pytest.mark.requirement("QUE-06")
def test_a_server_that_refuses_row_after_row_is_not_tried_with_all(desk: Desk) -> None:
    desk.spend(100)
    desk.collect()
    desk.backend.refuses = lambda _: "model"
    with pytest.raises(Rejected):
        desk.deliver()
    assert desk.backend.slugs() == ["ingest"] * 21
    desk.backend.refuses = at()
    desk.deliver(Effort.DRAIN)
    assert desk.backend.rows() == desk.truth()


@pytest.mark.requirement("QUE-06")
@pytest.mark.parametrize("number", [-1, 5, 10**12])
def test_a_refused_row_that_was_not_sent_ends_the_run(number: int, desk: Desk) -> None:
    desk.backend.does(says(400, json.dumps({"error": "INVALID_ROW", "row": number}).encode()))
    with pytest.raises(Rejected):
        desk.deliver()
    assert refused(desk) == []


@pytest.mark.requirement("QUE-06")
def test_a_batch_that_is_too_large_is_halved_until_it_fits(desk: Desk) -> None:
    desk.spend(100)
    desk.collect()
    desk.backend.most_rows = 30
    assert desk.deliver().rows == 100
    assert desk.backend.batches() == [100, 50, 25, 25, 25, 25]
    assert desk.backend.rows() == desk.truth()


@pytest.mark.requirement("QUE-06")
def test_a_single_row_that_is_too_large_ends_the_run(desk: Desk) -> None:
    desk.backend.most_rows = 0
    with pytest.raises(Rejected) as told:
        desk.deliver()
    assert told.value.status == 413
    assert desk.backend.batches() == [5, 2, 1]
    desk.backend.most_rows = 500
    assert_all_is_well(desk)


@pytest.mark.requirement("QUE-06")
@pytest.mark.parametrize(
    "effort, batches",
    [
        (Effort.AUTO, [300, 300]),
        (Effort.MANUAL, [300, 300, 300, 100]),
        (Effort.DRAIN, [300, 300, 300, 100]),
    ],
)
def test_batches_have_300_rows_and_an_automatic_sync_sends_two(
    effort: Effort, batches: list[int], desk: Desk
) -> None:
    desk.spend(1000)
    desk.collect()
    desk.deliver(effort)
    assert desk.backend.batches() == batches
    assert len(desk.computer.pending()) == 1000 - sum(batches)
    assert_all_is_well(desk)


@pytest.mark.requirement("QUE-06")
@pytest.mark.parametrize("half_hours, batches", [(6_000, 2), (6_500, 4)])
def test_with_more_than_a_megabyte_waiting_an_automatic_sync_sends_four(
    half_hours: int, batches: int, desk: Desk
) -> None:
    desk.spend(half_hours)
    desk.collect()
    with desk.computer.opened() as store:
        assert (size_of(store.pending()) > 1 << 20) is (batches == 4)
    desk.deliver(Effort.AUTO)
    assert desk.backend.batches() == [300] * batches
    assert len(desk.computer.pending()) == half_hours - 300 * batches


@pytest.mark.requirement("QUE-02", "QUE-06")
def test_the_rows_of_a_half_hour_travel_together(desk: Desk) -> None:
    desk.deliver()
    desk.computer.query(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 706)"
        " INSERT INTO bucket (source, start, model)"
        " SELECT 'toy', 900000000 + i % 101 * 1800, 'model-' || i FROM n"
    )
    desk.computer.query(
        "INSERT INTO published SELECT id, 1, 0, 0, 0, 1, 1, 0, NULL, NULL FROM bucket"
        " WHERE model LIKE 'model-%'"
    )
    desk.backend.requests.clear()
    assert desk.deliver().rows == 707
    assert desk.backend.batches() == [294, 294, 119]
    slots = [{row["hour_start"] for row in request.rows} for request in desk.backend.requests]
    assert sum(map(len, slots)) == len(set.union(*slots)) == 101


@pytest.mark.requirement("QUE-03", "QUE-04")
def test_an_automatic_upload_is_one_attempt_in_half_an_hour_also_when_it_fails(
    desk: Desk,
) -> None:
    desk.hands.lot = 1.0
    desk.backend.does(says(500))
    with pytest.raises(Retryable):
        desk.deliver(Effort.AUTO)
    assert desk.next_auto == HALF_HOUR + 60
    desk.hands.now += HALF_HOUR + 59
    assert desk.sync(Effort.AUTO) == Sent()
    desk.hands.now += 1
    assert desk.sync(Effort.AUTO).rows == 5
    desk.spend(1)
    desk.hands.now += 60
    assert desk.sync(Effort.AUTO) == Sent()
    assert desk.sync(Effort.MANUAL).rows == 1
    assert desk.backend.rows() == desk.truth()


@pytest.mark.requirement("QUE-03")
def test_an_attempt_counts_from_its_beginning_even_if_the_process_dies_in_it(desk: Desk) -> None:
    class Killed(BaseException):
        pass

    def dies(*_: object) -> None:
        raise Killed

    desk.backend.does(hangs_up)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Hands, "_sleep", dies)
        with pytest.raises(Killed):
            desk.deliver(Effort.AUTO)
    assert desk.errand(Effort.AUTO) is Errand.WAIT
    assert desk.next_auto == HALF_HOUR + 30


@pytest.mark.requirement("QUE-07")
def test_a_sync_that_found_nothing_tells_so_when_it_is_due(desk: Desk) -> None:
    desk.deliver()
    desk.backend.requests.clear()
    for effort in (Effort.AUTO, Effort.MANUAL):
        assert desk.errand(effort) is Errand.NOTHING
    desk.hands.now += HALF_HOUR
    desk.sync(Effort.AUTO)
    assert desk.backend.slugs() == ["sync-ping"]
    desk.hands.now += HALF_HOUR - 1
    desk.sync(Effort.AUTO)
    assert desk.backend.slugs() == ["sync-ping"]
    desk.hands.now += 1
    desk.sync(Effort.AUTO)
    assert desk.backend.slugs() == ["sync-ping"] * 2


@pytest.mark.requirement("QUE-07")
def test_the_next_heartbeat_is_due_when_the_server_says(desk: Desk) -> None:
    desk.deliver()
    desk.hands.now += HALF_HOUR
    answer = {
        "success": True,
        "updated": False,
        "last_sync_at": iso_utc(desk.hands.now - 600),
        "min_interval_minutes": 20,
        "device_id": "device-1",
    }
    desk.backend.does(says(200, json.dumps(answer).encode()))
    desk.sync(Effort.AUTO)
    desk.hands.now += 599
    assert desk.errand(Effort.AUTO) is Errand.NOTHING
    desk.hands.now += 1
    assert desk.errand(Effort.AUTO) is Errand.HEARTBEAT


@pytest.mark.requirement("QUE-02", "QUE-08")
def test_another_server_gets_everything_and_what_it_has_it_keeps(desk: Desk) -> None:
    desk.deliver()
    with Backend.running() as other:
        moved = Desk(desk.computer, other, desk.hands)
        assert moved.deliver() == Sent(rows=5, inserted=5)
        assert other.rows() == desk.backend.rows() == desk.truth()
        assert moved.deliver() == Sent()


@pytest.mark.requirement("QUE-02", "COL-08")
@pytest.mark.parametrize("commit", range(1, 12))
def test_a_crash_anywhere_between_send_and_acknowledge_loses_and_doubles_nothing(
    commit: int, desk: Desk
) -> None:
    desk.spend(600)
    desk.collect()
    with dying(commit) as gone, suppress(gone):
        desk.deliver()
    desk.spend(3, tokens=5)
    desk.collect()
    assert_all_is_well(desk)

"""When rows may be sent, and when a heartbeat is due: tables, and what always holds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import NOW

from vibescore.throttle import (
    INTERVAL,
    JITTER,
    LONGEST_BACKOFF,
    LONGEST_HOLD,
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    TRIES,
    Effort,
    Errand,
    Pace,
    attempted,
    errand,
    failed,
    heard,
    held_until,
    next_auto,
    pause,
    recalled,
    retry_after,
    succeeded,
)

HALF_HOUR, DAY = 1800.0, 86_400.0
lots = st.floats(0, 1)
spans = st.floats(0, 2 * DAY)


def waits(pace: Pace, now: float = NOW, effort: Effort = Effort.AUTO) -> bool:
    return errand(pace, now, rows=1, effort=effort) is Errand.WAIT


@pytest.mark.requirement("QUE-03")
@given(lots)
def test_an_automatic_sync_attempts_one_upload_in_half_an_hour_and_up_to_a_minute_more(
    lot: float,
) -> None:
    pace = attempted(Pace(), NOW, lot=lot)
    assert waits(pace, NOW + HALF_HOUR - 1)
    assert not waits(pace, NOW + HALF_HOUR + 60)
    assert next_auto(pace, NOW) == NOW + HALF_HOUR + 60 * lot


@pytest.mark.requirement("QUE-03")
def test_the_minute_differs_from_attempt_to_attempt() -> None:
    times = {next_auto(attempted(Pace(), NOW, lot=lot / 9), NOW) for lot in range(10)}
    assert len(times) == 10


@pytest.mark.requirement("QUE-03", "QUE-05")
@given(lots, st.integers(1, 20))
def test_a_manual_sync_knows_neither_throttle_nor_backoff(lot: float, failures: int) -> None:
    pace = attempted(Pace(), NOW, lot=lot)
    for _ in range(failures):
        pace = failed(pace, NOW)
    assert waits(pace, NOW + 1)
    assert not waits(pace, NOW + 1, Effort.MANUAL)
    assert not waits(pace, NOW + 1, Effort.DRAIN)


@pytest.mark.requirement("QUE-05")
@pytest.mark.parametrize(
    "failures, seconds",
    [(1, 60), (2, 120), (3, 240), (4, 480), (5, 960), (6, 1800), (7, 1800), (5000, 1800)],
)
def test_backoff_doubles_from_a_minute_to_half_an_hour(failures: int, seconds: float) -> None:
    pace = failed(Pace(failures=failures - 1), NOW)
    assert pace.failures == failures
    assert next_auto(pace, NOW) == NOW + seconds


@pytest.mark.requirement("QUE-05")
@pytest.mark.parametrize("seconds", [1.0, 60.0, 7200.0, 3 * DAY])
def test_what_the_server_asks_for_replaces_the_backoff_and_holds_everyone(seconds: float) -> None:
    pace = failed(Pace(failures=5), NOW, retry_after=seconds)
    for effort in Effort:
        assert waits(pace, NOW + seconds - 0.5, effort)
        assert not waits(pace, NOW + seconds, effort)
    assert held_until(pace, NOW) == NOW + seconds


@pytest.mark.requirement("QUE-05")
def test_a_shorter_request_of_the_server_does_not_end_a_longer_one() -> None:
    pace = failed(failed(Pace(), NOW, retry_after=7200), NOW + 60, retry_after=60)
    assert held_until(pace, NOW + 60) == NOW + 7200
    assert held_until(failed(pace, NOW + 90), NOW + 90) == NOW + 7200


@pytest.mark.requirement("QUE-05")
def test_a_success_leaves_the_throttle_alone_and_ends_the_rest() -> None:
    pace = failed(attempted(Pace(), NOW, lot=0), NOW, retry_after=7200)
    assert succeeded(pace) == Pace(throttled_until=NOW + HALF_HOUR)


@pytest.mark.requirement("QUE-03", "QUE-05")
@given(lots, spans, st.floats(3 * DAY, 10_000 * DAY))
def test_a_clock_that_was_wrong_blocks_nobody_for_longer_than_a_right_one(
    lot: float, asked: float, ahead: float
) -> None:
    pace = failed(attempted(Pace(), NOW + ahead, lot=lot), NOW + ahead, retry_after=asked)
    longest = max(INTERVAL + JITTER, LONGEST_BACKOFF)
    assert next_auto(pace, NOW) <= NOW + max(longest, LONGEST_HOLD)
    if ahead > LONGEST_HOLD:
        assert not waits(pace, NOW)


@pytest.mark.requirement("QUE-05")
@pytest.mark.parametrize(
    "text, seconds",
    [
        ("60", 60.0),
        (" 7200 ", 7200.0),
        ("0", 0.0),
        ("Tue, 11 Aug 2026 02:00:00 GMT", 7200.0),
        ("Tuesday, 11-Aug-26 02:00:00 GMT", 7200.0),
        ("Tue Aug 11 02:00:00 2026", 7200.0),
        ("Mon, 10 Aug 2026 22:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("Tue, 99 Aug 2026 02:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds


@pytest.mark.requirement("QUE-05")
@given(st.text(max_size=40))
def test_whatever_stands_in_retry_after_is_a_span_or_nothing(text: str) -> None:
    seconds = retry_after(text, NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.requirement("QUE-05")
def test_a_server_that_asks_for_a_year_gets_a_week() -> None:
    pace = failed(Pace(), NOW, retry_after=365 * DAY)
    assert held_until(pace, NOW) == NOW + 7 * DAY


@pytest.mark.requirement("QUE-05")
@given(st.integers(1, 9), st.none() | st.floats(0, 9), lots)
def test_within_a_run_there_are_three_tries_with_pauses_of_half_a_second_to_five(
    tries: int, asked: float | None, lot: float
) -> None:
    seconds = pause(tries, asked, lot=lot)
    if tries >= TRIES or (asked or 0) > 5:
        assert seconds is None
    else:
        assert seconds is not None
        assert SHORTEST_PAUSE <= seconds <= LONGEST_PAUSE
        assert seconds >= (asked or 0)


@pytest.mark.requirement("QUE-05")
def test_pauses_grow_and_no_two_devices_need_have_the_same() -> None:
    assert [pause(tries, None, lot=0) for tries in (1, 2, 3)] == [0.5, 1.5, None]
    assert len({pause(1, None, lot=lot / 9) for lot in range(10)}) == 10


@pytest.mark.requirement("QUE-07")
def test_without_rows_a_heartbeat_is_due_when_the_server_said_and_not_in_backoff() -> None:
    pace = heard(Pace(), NOW, due=NOW + 900)
    for effort in Effort:
        assert errand(pace, NOW + 899, rows=0, effort=effort) is Errand.NOTHING
        assert errand(pace, NOW + 900, rows=0, effort=effort) is Errand.HEARTBEAT
    assert errand(Pace(), NOW, rows=0, effort=Effort.AUTO) is Errand.HEARTBEAT
    for kept in (failed(Pace(), NOW), failed(Pace(), NOW, retry_after=60)):
        assert errand(kept, NOW + 59, rows=0, effort=Effort.AUTO) is Errand.NOTHING
        assert errand(kept, NOW + 60, rows=0, effort=Effort.AUTO) is Errand.HEARTBEAT


@pytest.mark.requirement("QUE-07")
def test_the_throttle_of_uploads_does_not_hold_heartbeats() -> None:
    pace = attempted(Pace(), NOW, lot=1)
    assert errand(pace, NOW + 1, rows=0, effort=Effort.AUTO) is Errand.HEARTBEAT


@pytest.mark.requirement("QUE-07")
@given(st.floats(-DAY, DAY))
def test_a_server_whose_clock_is_far_off_is_asked_neither_all_the_time_nor_never(
    off: float,
) -> None:
    due = heard(Pace(), NOW, due=NOW + off, interval=HALF_HOUR).heartbeat_due - NOW
    assert 60 <= due <= HALF_HOUR
    if 60 <= off <= HALF_HOUR:
        assert due == pytest.approx(off)


paces = st.builds(Pace, spans, spans, spans, st.integers(0, 99), spans)


@pytest.mark.requirement("QUE-03")
@given(paces)
def test_a_pace_is_remembered_for_its_own_link(pace: Pace) -> None:
    kept = json.loads(json.dumps(["there", *pace]))
    assert recalled(kept, "there") == pace
    assert recalled(kept, "elsewhere") == Pace()


@pytest.mark.requirement("QUE-03")
@pytest.mark.parametrize("kept", [None, [], {}, 7, ["there"], ["there", *"abcde"], [["there"], 1]])
def test_what_makes_no_sense_is_not_remembered(kept: object) -> None:
    assert recalled(kept, "there") == Pace()

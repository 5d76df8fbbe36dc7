"""Every Code's unknown half-hours take the model of the nearest half-hour of Codex (BKF-05..08).

First through the command line and real logs, then for any history: what is published in the end
follows from all that was spent, not from the order in which it was met. The nearest half-hour is
looked for here by trying all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollouts import (
    UNKNOWN,
    Chat,
    Counters,
    EveryCode,
    Rollout,
    Truth,
    moment,
    write,
)
from sessions import DAY, START, A, B, Log, Session, expected_rows, sessions
from sums import counters, models, settled, sources, total
from support import Computer

from vibescore import Slot, Timeline, TokenTotals
from vibescore.backfill import attribute, dominant
from vibescore.model import HALF_HOUR, Bucket, Slots
from vibescore.plugins import Plugin
from vibescore.reconcile import changes


def begun(at: str) -> str:
    """When a session begins that answers at that clock time, or at that ISO time."""
    return f"{moment(at, START) - timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}"


def codex(number: int, at: str, model: str | None = A, tokens: int = 1_000) -> Rollout:
    """A session of Codex that spent this at that time; without model it is unknown."""
    session = Rollout(number, begun(at)).meta()
    if model:
        session.model(model)
    return session.usage(tokens, 0, 0, 0, at=at)


def code(number: int, at: str, tokens: int = 70, model: str | None = None) -> EveryCode:
    """A session of Every Code that spent this at that time; most often no model is named."""
    session = EveryCode(number, begun(at)).meta().naming(requested=model)
    return session.usage(tokens, 0, 0, 0, at=at)


def synced(computer: Computer, *sessions: Rollout) -> Truth:
    """Writes them, syncs, and gives the rows of Every Code."""
    for session in sessions:
        session.save(computer.home)
    computer.sync()
    return computer.export("every-code")


def row(model: str, hour: str, tokens: int = 70) -> Truth:
    return {("every-code", model, f"{DAY}{hour}:00Z"): Counters(tokens, 0, 0, 0, tokens)}


@pytest.mark.requirement("BKF-05")
def test_an_unknown_half_hour_takes_the_model_of_the_nearest_one_of_codex_in_the_past(
    computer: Computer,
) -> None:
    sessions = codex(1, "08:05", B), codex(2, "09:05", A), codex(3, "12:05", B)
    assert synced(computer, code(4, "10:10"), *sessions) == row(A, "10:00")


@pytest.mark.requirement("BKF-05")
def test_an_unknown_half_hour_takes_the_model_of_the_nearest_one_of_codex_in_the_future(
    computer: Computer,
) -> None:
    sessions = codex(1, "08:05", B), codex(2, "11:05", A), codex(3, "13:05", B)
    assert synced(computer, code(4, "10:10"), *sessions) == row(A, "10:00")


@pytest.mark.requirement("BKF-05")
def test_of_two_half_hours_of_codex_as_near_the_earlier_counts(computer: Computer) -> None:
    sessions = codex(1, "09:05", B), codex(2, "11:05", A)
    assert synced(computer, code(3, "10:10"), *sessions) == row(B, "10:00")


@pytest.mark.requirement("BKF-05")
@pytest.mark.parametrize("minute", ["00:00.000", "14:59", "29:59.999"])
def test_half_hours_are_compared_not_the_times_within_them(minute: str, computer: Computer) -> None:
    """Seen from 10:29, 10:30 is near, but both neighbours are one half-hour away."""
    sessions = codex(1, "09:31", B), codex(2, "10:30", A)
    assert synced(computer, code(3, f"10:{minute}"), *sessions) == row(B, "10:00")


@pytest.mark.requirement("BKF-05")
def test_the_same_half_hour_of_codex_is_nearer_than_its_neighbours(computer: Computer) -> None:
    sessions = codex(1, "09:59", B), codex(2, "10:29:59", A), codex(3, "10:30", B)
    assert synced(computer, code(4, "10:00"), *sessions) == row(A, "10:00")


@pytest.mark.requirement("BKF-05")
def test_the_nearest_half_hour_of_codex_counts_however_far_it_is(computer: Computer) -> None:
    sessions = codex(1, "2026-05-01T08:05:00", A), codex(2, "2027-08-01T08:05:00", B)
    assert synced(computer, code(3, "10:10"), *sessions) == row(A, "10:00")


@pytest.mark.requirement("BKF-05")
def test_of_two_models_in_the_nearest_half_hour_the_dominant_one_counts(
    computer: Computer,
) -> None:
    sessions = codex(1, "10:05", A, 500), codex(2, "10:06", B, 501), codex(3, "09:31", A, 9_000)
    assert synced(computer, code(4, "10:10"), *sessions) == row(B, "10:00")


@pytest.mark.requirement("BKF-03", "BKF-05")
def test_of_two_equal_models_in_the_nearest_half_hour_the_smallest_name_counts(
    computer: Computer,
) -> None:
    sessions = codex(1, "09:05", B, 500), codex(2, "09:06", A, 500)
    assert synced(computer, code(3, "10:10"), *sessions) == row(A, "10:00")


@pytest.mark.requirement("BKF-05")
def test_unknown_tokens_of_codex_beside_a_known_model_do_not_matter(computer: Computer) -> None:
    sessions = codex(1, "09:05", A, 5), codex(2, "09:06", None, 9_000)
    assert synced(computer, code(3, "10:10"), *sessions) == row(A, "10:00")


@pytest.mark.requirement("BKF-05")
@pytest.mark.parametrize("nearest", ["09:31", "10:01", "10:31"])
def test_when_the_nearest_half_hour_of_codex_has_no_known_model_the_tokens_stay_unknown(
    nearest: str, computer: Computer
) -> None:
    """Even when a farther one has."""
    sessions = codex(1, "08:05", A), codex(2, nearest, None), codex(3, "12:05", B)
    assert synced(computer, code(4, "10:10"), *sessions) == row(UNKNOWN, "10:00")


@pytest.mark.requirement("BKF-05")
def test_of_two_half_hours_as_near_the_earlier_counts_though_only_the_later_has_a_known_model(
    computer: Computer,
) -> None:
    sessions = codex(1, "09:05", None), codex(2, "11:05", A)
    assert synced(computer, code(3, "10:10"), *sessions) == row(UNKNOWN, "10:00")


@pytest.mark.requirement("BKF-05")
def test_without_any_usage_of_codex_the_tokens_stay_unknown(computer: Computer) -> None:
    silent = Rollout(1, f"{DAY}10:00:00").meta().model(A).null()
    assert synced(computer, code(2, "10:10"), silent) == row(UNKNOWN, "10:00")


@pytest.mark.requirement("BKF-05")
def test_sessions_of_every_code_inside_the_tree_of_codex_are_no_half_hours_of_codex(
    computer: Computer,
) -> None:
    sessions = code(1, "10:31", 5, B).inside(".codex"), codex(2, "08:05", A)
    expected = row(A, "10:00") | row(B, "10:30", 5)
    assert synced(computer, code(3, "10:10"), *sessions) == expected


@pytest.mark.requirement("BKF-01", "BKF-05")
def test_a_known_model_of_its_own_half_hour_wins_over_alignment(computer: Computer) -> None:
    sessions = codex(2, "10:05", A, 9_000), code(1, "10:21", 5, B)
    assert synced(computer, code(3, "10:10"), *sessions) == row(B, "10:00", 75)


@pytest.mark.requirement("BKF-05")
def test_a_known_model_of_its_own_next_half_hour_does_not_win_over_alignment(
    computer: Computer,
) -> None:
    sessions = codex(2, "04:05", A), code(1, "10:31", 5, B)
    expected = row(A, "10:00") | row(B, "10:30", 5)
    assert synced(computer, code(3, "10:10"), *sessions) == expected


@pytest.mark.requirement("BKF-05", "BKF-08")
def test_each_half_hour_is_aligned_by_itself_and_the_sums_stay(computer: Computer) -> None:
    long = code(1, "09:10").usage(80, 0, 0, 0, at="09:40").usage(90, 0, 0, 0, at="13:10")
    sessions = codex(2, "09:05", A), codex(3, "13:35", B)
    expected = row(A, "09:00") | row(A, "09:30", 80) | row(B, "13:00", 90)
    assert synced(computer, long, *sessions) == expected


@pytest.mark.requirement("BKF-06", "BKF-07")
def test_new_records_of_codex_alone_align_again_with_zeros_for_the_old_model(
    computer: Computer,
) -> None:
    assert synced(computer, code(1, "10:10"), codex(2, "08:05", A)) == row(A, "10:00")
    computer.acknowledge()
    synced(computer, codex(3, "10:45", B))
    assert computer.pending() == {
        ("codex", B, f"{DAY}10:30:00Z"): Counters(1_000, 0, 0, 0, 1_000),
        **row(A, "10:00", 0),
        **row(B, "10:00"),
    }


@pytest.mark.requirement("BKF-04", "BKF-07")
def test_the_first_records_of_codex_end_the_unknown_row_that_was_sent(computer: Computer) -> None:
    assert synced(computer, code(1, "10:10")) == row(UNKNOWN, "10:00")
    computer.acknowledge()
    assert synced(computer, codex(2, "02:05", A)) == row(A, "10:00")
    assert computer.pending().items() >= (row(UNKNOWN, "10:00", 0) | row(A, "10:00")).items()


@pytest.mark.requirement("BKF-05", "BKF-06", "BKF-07")
def test_a_nearer_half_hour_of_codex_without_known_model_makes_the_tokens_unknown_again(
    computer: Computer,
) -> None:
    assert synced(computer, code(1, "10:10"), codex(2, "08:05", A)) == row(A, "10:00")
    computer.acknowledge()
    nearer = codex(3, "10:45", None)
    assert synced(computer, nearer) == row(UNKNOWN, "10:00")
    assert computer.pending().items() >= (row(A, "10:00", 0) | row(UNKNOWN, "10:00")).items()
    computer.acknowledge()
    nearer.model(B).usage(1, 0, 0, 0)
    assert synced(computer, nearer) == row(B, "10:00")
    assert computer.pending().items() >= (row(UNKNOWN, "10:00", 0) | row(B, "10:00")).items()


@pytest.mark.requirement("BKF-06", "BKF-07")
def test_when_another_model_becomes_dominant_in_the_nearest_half_hour_the_tokens_move(
    computer: Computer,
) -> None:
    nearest = codex(1, "10:05", A, 500)
    path = nearest.save(computer.home)
    assert synced(computer, code(2, "11:10")) == row(A, "11:00")
    computer.acknowledge()
    nearest.model(B).usage(501, 0, 0, 0).append_to(path)
    computer.sync()
    assert computer.pending() == {
        ("codex", B, f"{DAY}10:00:00Z"): Counters(501, 0, 0, 0, 501),
        **row(A, "11:00", 0),
        **row(B, "11:00"),
    }


@pytest.mark.requirement("BKF-06")
def test_the_row_under_the_new_model_has_the_totals_of_now(computer: Computer) -> None:
    session = code(1, "10:10")
    path = session.save(computer.home)
    assert synced(computer, codex(2, "08:05", A)) == row(A, "10:00")
    computer.acknowledge()
    session.usage(9, 0, 0, 0).append_to(path)
    assert synced(computer, codex(3, "10:15", B)) == row(B, "10:00", 79)
    assert computer.pending().items() >= (row(A, "10:00", 0) | row(B, "10:00", 79)).items()


@pytest.mark.requirement("BKF-01", "BKF-06")
def test_aligned_tokens_join_a_known_model_that_shows_up_in_their_half_hour(
    computer: Computer,
) -> None:
    assert synced(computer, code(1, "10:10"), codex(2, "10:05", A)) == row(A, "10:00")
    computer.acknowledge()
    synced(computer, code(3, "10:21", 5, B))
    assert computer.pending() == row(A, "10:00", 0) | row(B, "10:00", 75)


@pytest.mark.requirement("BKF-06")
def test_a_known_model_keeps_its_own_tokens_when_alignment_leaves_it(computer: Computer) -> None:
    """In the neighbouring half-hour it is known: that row stays."""
    synced(computer, code(1, "10:31", 5, A), code(2, "10:10"), codex(3, "08:05", A))
    computer.acknowledge()
    assert synced(computer, codex(4, "10:15", B)) == row(B, "10:00") | row(A, "10:30", 5)
    assert row(A, "10:30", 5).keys().isdisjoint(computer.pending())


@pytest.mark.requirement("BKF-06", "COL-08")
def test_what_changes_no_alignment_publishes_nothing_of_every_code(computer: Computer) -> None:
    synced(computer, code(1, "10:10"), codex(2, "10:05", A))
    computer.acknowledge()
    synced(computer, codex(3, "10:45", B), codex(4, "09:45", B))
    assert {source for source, _, _ in computer.pending()} == {"codex"}


@pytest.mark.requirement("BKF-05", "COL-10")
def test_tokens_stay_aligned_when_the_logs_of_codex_are_gone(computer: Computer) -> None:
    path = codex(1, "08:05", A).save(computer.home)
    assert synced(computer, code(2, "10:10")) == row(A, "10:00")
    path.unlink()
    computer.sync("--rebuild")
    assert computer.export("every-code") == row(A, "10:00")


@pytest.mark.requirement("BKF-05", "BKF-08")
def test_half_hours_of_gemini_and_of_codex_are_never_aligned(computer: Computer) -> None:
    chat = Chat(1, f"{DAY}10:10:00").answer("m1", 10, 2, 1, 0, 1, model=None)
    write(chat.path(computer.home, ending=".json"), chat.document())
    known = code(2, "10:06", 5, B)
    synced(computer, codex(3, "10:05", None), codex(4, "10:35", A), known)
    assert {key[:2] for key in computer.export() if key[2] == f"{DAY}10:00:00Z"} == {
        ("gemini", UNKNOWN),
        ("codex", UNKNOWN),
        ("every-code", B),
    }


def upload(computer: Computer, server: Truth) -> None:
    """A server accepts what waits."""
    server.update(computer.pending())
    computer.acknowledge()


@pytest.mark.requirement("BKF-05", "BKF-06", "BKF-07", "BKF-08")
@settings(max_examples=30)
@given(st.lists(sessions, min_size=1, max_size=6), st.data())
def test_whatever_the_order_and_the_number_of_syncs_the_same_rows_are_published(
    spent: list[Session], data: st.DataObject
) -> None:
    logs = [Log(number, session) for number, session in enumerate(spent, 1)]
    responses = [log for log, session in zip(logs, spent, strict=True) for _ in session.half_hours]
    server: Truth = {}
    with Computer.temporary() as computer:
        for log in data.draw(st.permutations(responses)):
            log.advance(computer)
            if data.draw(st.booleans()):
                computer.collect()
                if data.draw(st.booleans()):
                    upload(computer, server)
        computer.collect()
        upload(computer, server)
        assert computer.totals() == expected_rows(spent)
        assert {key: its for key, its in sorted(server.items()) if any(its)} == computer.totals()


starts = st.integers(0, 9).map(lambda number: number * HALF_HOUR)
tokens = st.builds(TokenTotals, counters, counters, counters, counters, counters)
any_slots = st.dictionaries(
    st.builds(Slot, sources, starts), st.dictionaries(models, tokens, min_size=1), max_size=12
)


def every_code() -> Plugin:
    return {plugin.name: plugin for plugin in Computer.plugins()}["every-code"]


def attributed(slots: Slots) -> dict[Bucket, TokenTotals]:
    """The rows wanted upstream, with the real hook of Every Code."""

    def half_hours(source: str) -> list[int]:
        return sorted(slot.start for slot in slots if slot.source == source and used(slots[slot]))

    timeline = Timeline(half_hours, lambda slot: dominant(slots.get(slot, {})))
    plugin = every_code()
    return attribute(slots, lambda slot: plugin.backfill_model(slot, timeline))


def used(by_model: Mapping[str, TokenTotals]) -> bool:
    return any(by_model.values())


def expected_buckets(slots: Slots) -> dict[Bucket, TokenTotals]:
    rows: dict[Bucket, TokenTotals] = {}
    for slot, by_model in slots.items():
        for name, its in by_model.items():
            model = expected_heir(slots, slot) if name == UNKNOWN else name
            bucket = Bucket(slot.source, model, slot.start)
            rows[bucket] = rows.get(bucket, TokenTotals()) + its
    return settled(rows)


def expected_heir(slots: Slots, slot: Slot) -> str:
    own = leading(slots[slot])
    places = [its.start for its in slots if its.source == "codex" and used(slots[its])]
    if own != UNKNOWN or slot.source != "every-code" or not places:
        return own
    _, nearest = min((abs(start - slot.start), start) for start in places)
    return leading(slots[Slot("codex", nearest)])


def leading(by_model: Mapping[str, TokenTotals]) -> str:
    known = {name: its.total_tokens for name, its in by_model.items() if its and name != UNKNOWN}
    return min(known, key=lambda name: (-known[name], name), default=UNKNOWN)


@pytest.mark.requirement("BKF-05", "BKF-08")
@settings(max_examples=300)
@given(any_slots)
def test_attribution_is_that_of_trying_every_half_hour_of_codex(slots: Slots) -> None:
    assert attributed(slots) == expected_buckets(slots)


@pytest.mark.requirement("BKF-08")
@given(any_slots, st.data())
def test_attribution_does_not_depend_on_the_order_of_slots_and_models(
    slots: Slots, data: st.DataObject
) -> None:
    shuffled = {
        slot: dict(data.draw(st.permutations(list(slots[slot].items()))))
        for slot in data.draw(st.permutations(list(slots)))
    }
    assert attributed(shuffled) == attributed(slots)


@pytest.mark.requirement("BKF-08")
@given(any_slots)
def test_alignment_moves_tokens_within_their_slot_and_loses_none(slots: Slots) -> None:
    wanted = attributed(slots)
    for slot, by_model in slots.items():
        rows = [its for bucket, its in wanted.items() if bucket.slot == slot]
        assert total(rows) == total(by_model.values())


@pytest.mark.requirement("BKF-06", "BKF-08")
@given(st.lists(any_slots, min_size=1, max_size=4))
def test_what_is_published_in_the_end_is_what_the_last_slots_want_whatever_was_before(
    history: list[Slots],
) -> None:
    published: dict[Bucket, TokenTotals] = {}
    for slots in history:
        published |= changes(attributed(slots), published)
    assert settled(published) == expected_buckets(history[-1])

"""Unknown tokens get a model: the rules one by one through logs, their properties on sums."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rollouts import Counters, Rollout
from sums import settled, sums_by_slot, total
from support import Computer, made_up
from toy import log, toy

from vibescore import UNKNOWN, Slot, Timeline, TokenTotals
from vibescore.backfill import attribute, dominant
from vibescore.model import HALF_HOUR, Slots
from vibescore.plugins import Plugin

HOUR = "2026-08-10T09:00:00Z"
NEXT = "2026-08-10T09:30:00Z"


def session(number: int = 1, start: str = "2026-08-10T09:01:00") -> Rollout:
    return Rollout(number, start).meta()


def guessing(model: str) -> Plugin:
    """A plugin that takes every unknown model for this one."""
    plugin = made_up("guess", backfill_model=lambda: model)
    plugin.version = model
    return plugin


@pytest.mark.requirement("BKF-01")
def test_unknown_tokens_are_sent_as_unknown_where_no_model_is_known(computer: Computer) -> None:
    session().usage(100, 0, 10, 0).save(computer.home)
    computer.sync()
    assert computer.export() == {("codex", UNKNOWN, HOUR): Counters(100, 0, 10, 0, 110)}


@pytest.mark.requirement("BKF-01")
def test_unknown_tokens_join_the_known_model_of_their_half_hour_and_no_other(
    computer: Computer,
) -> None:
    session(1).usage(100, 0, 10, 0).usage(7, 0, 1, 0, at="09:31").save(computer.home)
    session(2).model("gpt-5.1").usage(1_000, 0, 1, 0).save(computer.home)
    computer.sync()
    assert computer.export() == {
        ("codex", "gpt-5.1", HOUR): Counters(1_100, 0, 11, 0, 1_111),
        ("codex", UNKNOWN, NEXT): Counters(7, 0, 1, 0, 8),
    }


@pytest.mark.requirement("BKF-01", "SRV-03")
def test_unknown_tokens_do_not_join_the_model_of_another_source(computer: Computer) -> None:
    session().usage(100, 0, 10, 0).save(computer.home)
    log(computer, "other", ("e1", 900))
    computer.collect([*computer.plugins(), toy()])
    assert {key[:2] for key in computer.export()} == {("codex", UNKNOWN), ("toy", "toy-1")}


@pytest.mark.requirement("BKF-02")
def test_only_the_dominant_of_two_known_models_grows(computer: Computer) -> None:
    rollout = session().usage(100, 0, 10, 0)
    rollout.model("gpt-5.1").usage(500, 0, 5, 0).model("gpt-5.2-codex").usage(900, 0, 9, 0)
    rollout.save(computer.home)
    computer.sync()
    assert computer.export() == {
        ("codex", "gpt-5.1", HOUR): Counters(500, 0, 5, 0, 505),
        ("codex", "gpt-5.2-codex", HOUR): Counters(1_000, 0, 19, 0, 1_019),
    }


@pytest.mark.requirement("BKF-03")
def test_of_models_with_equal_totals_the_smallest_name_is_dominant(computer: Computer) -> None:
    rollout = session().usage(100, 0, 10, 0)
    rollout.model("gpt-b").usage(500, 0, 5, 0).model("gpt-a").usage(500, 0, 5, 0)
    rollout.save(computer.home)
    computer.sync()
    assert computer.export() == {
        ("codex", "gpt-a", HOUR): Counters(600, 0, 15, 0, 615),
        ("codex", "gpt-b", HOUR): Counters(500, 0, 5, 0, 505),
    }


@pytest.mark.requirement("BKF-03")
def test_dominance_is_by_total_tokens_not_by_input(computer: Computer) -> None:
    rollout = session().usage(1, 0, 1, 0)
    rollout.model("gpt-a").usage(500, 0, 5, 0).model("gpt-b").usage(400, 0, 200, 0)
    rollout.save(computer.home)
    computer.sync()
    assert computer.export()["codex", "gpt-b", HOUR] == Counters(401, 0, 201, 0, 602)


@pytest.mark.requirement("BKF-04", "QUE-02")
def test_an_unknown_row_that_was_sent_is_sent_again_with_zeros_when_a_model_shows_up(
    computer: Computer,
) -> None:
    rollout = session().usage(100, 0, 10, 0)
    path = rollout.save(computer.home)
    computer.sync()
    computer.acknowledge()
    rollout.model("gpt-5.1").usage(500, 0, 5, 0).append_to(path)
    computer.sync()
    assert computer.pending() == {
        ("codex", UNKNOWN, HOUR): Counters(),
        ("codex", "gpt-5.1", HOUR): Counters(600, 0, 15, 0, 615),
    }


@pytest.mark.requirement("BKF-04")
def test_unknown_tokens_move_on_when_another_model_becomes_dominant(computer: Computer) -> None:
    rollout = session().usage(100, 0, 10, 0).model("gpt-5.1").usage(500, 0, 5, 0)
    path = rollout.save(computer.home)
    computer.sync()
    computer.acknowledge()
    rollout.model("gpt-5.2-codex").usage(900, 0, 9, 0).append_to(path)
    computer.sync()
    assert computer.pending() == {
        ("codex", "gpt-5.1", HOUR): Counters(500, 0, 5, 0, 505),
        ("codex", "gpt-5.2-codex", HOUR): Counters(1_000, 0, 19, 0, 1_019),
    }


@pytest.mark.requirement("BKF-08", "PLG-01")
def test_a_plugin_may_name_the_model_of_a_half_hour_without_any_and_of_no_other(
    computer: Computer,
) -> None:
    session(1).usage(100, 0, 10, 0).save(computer.home)
    session(2, "2026-08-10T10:01:00").model("gpt-5.1").usage(1, 0, 1, 0).save(computer.home)
    asked: list[Slot] = []

    def backfill_model(slot: Slot, timeline: Timeline) -> str | None:
        asked.append(slot)
        nearest = timeline.nearest("codex", slot.start + 2 * HALF_HOUR)
        return nearest and timeline.dominant(nearest)

    computer.collect([*computer.plugins(), made_up("guess", backfill_model=backfill_model)])
    assert [slot.start for slot in asked] == [1_786_352_400]
    assert computer.export() == {
        ("codex", "gpt-5.1", HOUR): Counters(100, 0, 10, 0, 110),
        ("codex", "gpt-5.1", "2026-08-10T10:00:00Z"): Counters(1, 0, 1, 0, 2),
    }


@pytest.mark.requirement("BKF-04", "BKF-08")
def test_a_half_hour_named_by_a_plugin_is_zeroed_when_the_plugin_names_another(
    computer: Computer,
) -> None:
    session().usage(100, 0, 10, 0).save(computer.home)
    for name in ("one", "two"):
        computer.collect([*computer.plugins(), guessing(name)])
    assert computer.pending() == {
        ("codex", "one", HOUR): Counters(),
        ("codex", "two", HOUR): Counters(100, 0, 10, 0, 110),
    }


@pytest.mark.requirement("BKF-08")
@given(sums_by_slot, st.sampled_from([None, "a", "z"]))
def test_backfill_moves_tokens_within_their_slot_and_loses_none(
    slots: Slots, guess: str | None
) -> None:
    wanted = attribute(slots, lambda _: guess)
    for slot, models in slots.items():
        rows = [tokens for bucket, tokens in wanted.items() if bucket.slot == slot]
        assert total(rows) == total(models.values())
    assert {bucket.slot for bucket in wanted} <= set(slots)


@pytest.mark.requirement("BKF-01", "BKF-02", "BKF-03", "BKF-08")
@given(sums_by_slot)
def test_known_models_keep_their_tokens_and_the_dominant_one_gets_the_unknown(slots: Slots) -> None:
    wanted = attribute(slots)
    for slot, models in slots.items():
        rows = {bucket.model: its for bucket, its in wanted.items() if bucket.slot == slot}
        known = {model: its for model, its in models.items() if its and model != UNKNOWN}
        heir = min(known, key=lambda model: (-known[model].total_tokens, model), default=UNKNOWN)
        unknown = models.get(UNKNOWN, TokenTotals())
        known[heir] = known.get(heir, TokenTotals()) + unknown
        assert rows == {model: its for model, its in known.items() if its}


@pytest.mark.requirement("BKF-08")
@given(sums_by_slot, st.data())
def test_backfill_does_not_depend_on_the_order_of_slots_and_models(
    slots: Slots, data: st.DataObject
) -> None:
    shuffled = {
        slot: dict(data.draw(st.permutations(list(slots[slot].items()))))
        for slot in data.draw(st.permutations(list(slots)))
    }
    assert attribute(shuffled) == attribute(slots)


@pytest.mark.requirement("BKF-08")
@given(sums_by_slot)
def test_what_was_backfilled_stays_as_it_is(slots: Slots) -> None:
    wanted = attribute(slots)
    again: dict[Slot, dict[str, TokenTotals]] = {}
    for bucket, tokens in wanted.items():
        again.setdefault(bucket.slot, {})[bucket.model] = tokens
    assert attribute(again) == settled(wanted)


@pytest.mark.requirement("BKF-08")
@given(sums_by_slot)
def test_a_plugin_is_only_asked_about_slots_with_unknown_tokens_alone(slots: Slots) -> None:
    asked: list[Slot] = []
    attribute(slots, asked.append)
    assert set(asked) == {
        slot for slot, models in slots.items() if models.get(UNKNOWN) and not dominant(models)
    }

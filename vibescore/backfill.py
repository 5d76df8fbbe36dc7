"""Giving unknown tokens a model (BKF-01 to BKF-08): a pure function of all slots."""

from collections.abc import Callable, Mapping

from vibescore.model import UNKNOWN, ZERO, Bucket, Slot, Slots, TokenTotals

Backfill = Callable[[Slot], str | None]


def attribute(slots: Slots, backfill: Backfill | None = None) -> dict[Bucket, TokenTotals]:
    """The rows wanted upstream: every bucket with tokens, unknown tokens joined to a known model
    where one is found.

    ``backfill`` is only asked about slots in which no model is known.
    """
    wanted: dict[Bucket, TokenTotals] = {}
    for slot, models in slots.items():
        unknown = models.get(UNKNOWN, ZERO)
        heir = dominant(models) or (backfill and unknown and backfill(slot)) or UNKNOWN
        for model, tokens in models.items():
            bucket = Bucket(slot.source, heir if model == UNKNOWN else model, slot.start)
            if tokens:
                wanted[bucket] = wanted.get(bucket, ZERO) + tokens
    return wanted


def dominant(models: Mapping[str, TokenTotals]) -> str | None:
    """The known model with the largest total; equal totals: the smallest name (BKF-03)."""
    known = (name for name, tokens in models.items() if name != UNKNOWN and tokens)
    return min(known, key=lambda name: (-models[name].total_tokens, name), default=None)

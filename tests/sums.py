"""Strategies for sums, and ways to add them up."""

from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from vibescore.model import HALF_HOUR, UNKNOWN, ZERO, Bucket, Slot, TokenTotals

counters = st.integers(0, 9)
tokens = st.builds(TokenTotals, counters, counters, counters, counters, counters)
sources = st.sampled_from(["codex", "every-code", "gemini"])
starts = st.integers(0, 3).map(lambda number: number * HALF_HOUR)
models = st.sampled_from([UNKNOWN, "a", "b", "c"])

slots = st.builds(Slot, sources, starts)
buckets = st.builds(Bucket, sources, models, starts)
sums_by_slot = st.dictionaries(slots, st.dictionaries(models, tokens))
sums_by_bucket = st.dictionaries(buckets, tokens)


def total(sums: Iterable[TokenTotals]) -> TokenTotals:
    return sum(sums, ZERO)


def settled(sums: Mapping[Bucket, TokenTotals]) -> dict[Bucket, TokenTotals]:
    """Without the rows that hold nothing."""
    return {bucket: tokens for bucket, tokens in sums.items() if tokens}

"""What has to be sent so that what is published becomes what is wanted: pure functions (BKF-04,
BKF-06, QUE-11).
"""

from collections.abc import Mapping

from vibescore.model import UNKNOWN, ZERO, Bucket, TokenTotals

Models = Mapping[str, TokenTotals]


def changes(
    wanted: Mapping[Bucket, TokenTotals], published: Mapping[Bucket, TokenTotals]
) -> dict[Bucket, TokenTotals]:
    """Rows that differ, with their new absolute totals; a row no longer wanted is sent with
    zeros.
    """
    target = dict.fromkeys(published, ZERO) | dict(wanted)
    return {
        bucket: tokens for bucket, tokens in target.items() if published.get(bucket, ZERO) != tokens
    }


def raised(sums: Models, floor: Models) -> Models:
    """The sums of a slot by model, raised to what the server was once sent of it (``floor``),
    where the logs know less of it by now.

    A floor was attributed, sums are not yet: what it has more of under a known model may be unknown
    tokens of the logs that had joined that model. As long as they can be, the logs know everything
    and the floor nothing. The total of a slot is never less than either, and no token of the logs
    counts twice.
    """
    known = {model: tokens for model, tokens in floor.items() if model != UNKNOWN and tokens}
    if not known:
        return _raised_unknown(sums, floor.get(UNKNOWN, ZERO))
    # An unknown row beside known ones is one whose retraction was not sent any more (BKF-01).
    larger = {model: _larger(sums.get(model, ZERO), its) for model, its in known.items()}
    lacking = sum(_size(its) - _size(sums.get(model, ZERO)) for model, its in larger.items())
    if lacking <= _size(sums.get(UNKNOWN, ZERO)):
        return sums
    return {**sums, **larger, UNKNOWN: ZERO}


def _raised_unknown(sums: Models, floor: TokenTotals) -> Models:
    """The same where no model was known."""
    known = TokenTotals.total(tokens for model, tokens in sums.items() if model != UNKNOWN)
    if _size(floor) <= _size(known) + _size(sums.get(UNKNOWN, ZERO)):
        return sums
    beyond = (max(all - part, 0) for all, part in zip(floor.counters, known.counters, strict=True))
    return {**sums, UNKNOWN: TokenTotals(*beyond)}


def _larger(one: TokenTotals, other: TokenTotals) -> TokenTotals:
    return max(one, other, key=lambda tokens: (_size(tokens), tokens.counters))


def _size(tokens: TokenTotals) -> int:
    return tokens.total_tokens

"""What has to be sent so that what is published becomes what is wanted: a pure function (BKF-04,
BKF-06).
"""

from collections.abc import Mapping

from vibescore.model import ZERO, Bucket, TokenTotals


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

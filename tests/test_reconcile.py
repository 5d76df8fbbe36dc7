"""What is sent turns what is published into what is wanted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from sums import settled, sums_by_bucket

from vibescore.model import ZERO, Bucket, TokenTotals
from vibescore.reconcile import changes

Rows = Mapping[Bucket, TokenTotals]


def backwards(rows: Rows) -> Rows:
    return dict(reversed(list(rows.items())))


@pytest.mark.requirement("BKF-06", "BKF-08", "QUE-02")
@given(sums_by_bucket, sums_by_bucket)
def test_published_rows_with_the_changes_are_the_wanted_rows(wanted: Rows, published: Rows) -> None:
    after = {**published, **changes(wanted, published)}
    assert settled(after) == settled(wanted)


@pytest.mark.requirement("BKF-08", "COL-08")
@given(sums_by_bucket, sums_by_bucket)
def test_once_published_the_changes_change_nothing(wanted: Rows, published: Rows) -> None:
    after = {**published, **changes(wanted, published)}
    assert changes(wanted, after) == {}


@pytest.mark.requirement("BKF-04", "BKF-06")
@given(sums_by_bucket, sums_by_bucket)
def test_a_row_no_longer_wanted_is_sent_with_zeros_and_an_equal_one_not_at_all(
    wanted: Rows, published: Rows
) -> None:
    sent = changes(wanted, published)
    for bucket, tokens in published.items():
        if bucket not in wanted:
            assert sent.get(bucket) == (ZERO if tokens else None)
        elif wanted[bucket] == tokens:
            assert bucket not in sent


@pytest.mark.requirement("BKF-08")
@given(sums_by_bucket, sums_by_bucket)
def test_changes_do_not_depend_on_the_order_of_rows(wanted: Rows, published: Rows) -> None:
    assert changes(backwards(wanted), backwards(published)) == changes(wanted, published)

"""What ``vibescore report --json`` answers, as types: its documented form (CLI-09).

``docs/report.schema.json`` is made from them by ``python3 dev.py schema``.
"""

from datetime import date
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

By = Literal["hourly", "daily", "weekly", "monthly"]
SpanName = Literal["today", "week", "selection"]
Count = Annotated[int, Meta(ge=0)]
Usd = Annotated[str, Meta(pattern=r"^\d+(\.\d+)?$", description="USD, a decimal number, exact")]
Share = Annotated[
    float, Meta(ge=0, le=1, description="of all tokens of the report, to four decimals")
]


class Totals(Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens and their estimated cost; the cost is null when no token has a price, and leaves out
    the unpriced tokens when some have none.
    """

    input_tokens: Count
    cached_input_tokens: Count
    output_tokens: Count
    reasoning_output_tokens: Count
    total_tokens: Count
    cost_usd: Usd | None
    unpriced_tokens: Count


class PeriodRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A local period with usage: an hour (2026-10-25T01:00+02:00), a day (2026-10-25), a week
    (the day of its Monday) or a month (2026-10).
    """

    period: str
    models: tuple[str, ...]
    totals: Totals


class SourceRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A source."""

    source: str
    share: Share
    totals: Totals


class ModelRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A model as one source used it."""

    source: str
    model: str
    share: Share
    totals: Totals


class Span(Struct, frozen=True, forbid_unknown_fields=True):
    """Some local days, both ends included (null: no bound)."""

    name: SpanName
    since: date | None
    until: date | None
    rows: tuple[ModelRow, ...]
    totals: Totals


class Frame(Struct, frozen=True, forbid_unknown_fields=True):
    """What every report tells of itself: its name, the time zone, the options it was asked with,
    the day of the bundled prices, and the models that have no price.
    """

    report: str
    timezone: str
    since: date | None
    until: date | None
    sources: tuple[str, ...]
    models: tuple[str, ...]
    prices_as_of: date
    unpriced_models: tuple[str, ...]


class Overview(Frame, frozen=True, forbid_unknown_fields=True):
    """``vibescore report``: today and this week, or the days that were asked for."""

    report: Literal["overview"]
    spans: tuple[Span, ...]


class PeriodReport(Frame, frozen=True, forbid_unknown_fields=True):
    """``vibescore report hourly``, ``daily``, ``weekly`` and ``monthly``, in order of time."""

    report: By
    rows: tuple[PeriodRow, ...]
    totals: Totals


class ModelReport(Frame, frozen=True, forbid_unknown_fields=True):
    """``vibescore report models``, the most tokens first."""

    report: Literal["models"]
    rows: tuple[ModelRow, ...]
    totals: Totals


class SourceReport(Frame, frozen=True, forbid_unknown_fields=True):
    """``vibescore report sources``, the most tokens first."""

    report: Literal["sources"]
    rows: tuple[SourceRow, ...]
    totals: Totals


Table = PeriodReport | ModelReport | SourceReport
Answer = Overview | Table


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of everything ``--json`` prints."""
    answers = get_args(Answer)
    refs, parts = msgspec.json.schema_components(answers, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vibescore report --json",
        "oneOf": list(refs),
        "$defs": parts,
    }

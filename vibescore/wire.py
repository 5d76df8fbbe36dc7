"""Rows as they are sent, answered and exported: the names of the wire (api.md)."""

import json
from typing import Annotated, Any

from msgspec import Meta, Struct

from vibescore.model import Bucket, TokenTotals, half_hour, iso_utc, utc_seconds

API_VERSION = 1

Name = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Row(Struct, frozen=True):
    """Totals of a half-hour of a source and a model."""

    source: Name
    model: Name
    hour_start: str
    input_tokens: Count
    cached_input_tokens: Count
    output_tokens: Count
    reasoning_output_tokens: Count
    total_tokens: Count

    def __post_init__(self) -> None:
        start = utc_seconds(self.hour_start)
        if start is None or start != half_hour(start):
            raise ValueError("hour_start is not a half-hour")

    @property
    def bucket(self) -> Bucket:
        return Bucket(self.source, self.model, int(utc_seconds(self.hour_start) or 0))

    @property
    def tokens(self) -> TokenTotals:
        return TokenTotals(
            self.input_tokens,
            self.cached_input_tokens,
            self.output_tokens,
            self.reasoning_output_tokens,
            self.total_tokens,
        )


FIELDS = Row.__struct_fields__


def row(bucket: Bucket, tokens: TokenTotals) -> dict[str, Any]:
    """A published row with the names of the wire."""
    values = (bucket.source, bucket.model, iso_utc(bucket.start), *tokens.counters)
    return dict(zip(FIELDS, values, strict=True))


def as_line(each: dict[str, Any]) -> str:
    """A row as JSON, as it is sent."""
    return json.dumps(each, ensure_ascii=False, separators=(",", ":"))

"""Reading a catalogue of models in OpenRouter's format (SRV-12).

    {"data": [{"id": "openai/gpt-5.2-codex", "created": 1768409315,
               "pricing": {"prompt": "0.00000175", "completion": "0.000014",
                           "input_cache_read": "0.000000175", "internal_reasoning": "0"}}]}

Prices are USD per token, as text or as numbers. For cached input and for reasoning a zero says that
they have no price of their own. Whatever else an entry has is not looked at.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from vibescore.pricing import Price, Rates

ABSENT = Raw(b"null")


class Quote(Struct, frozen=True):
    """USD per token, not decoded yet: one bad price must not spoil the others."""

    prompt: Raw = ABSENT
    completion: Raw = ABSENT
    input_cache_read: Raw = ABSENT
    internal_reasoning: Raw = ABSENT


UNQUOTED = Quote()


class Entry(Struct, frozen=True):
    """A model of the catalogue; ``created`` is UTC seconds."""

    id: Annotated[str, Meta(min_length=1, max_length=128)]
    created: float = 0
    pricing: Quote | None = None


class Document(Struct, frozen=True):
    data: list[Entry]


@dataclass(frozen=True, slots=True)
class Listed:
    """A model with its rates; ``created`` is UTC seconds."""

    id: str
    created: float
    rates: Rates


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models that have a usable price; ``total`` counts those without one too."""

    total: int
    models: tuple[Listed, ...]

    @property
    def skipped(self) -> int:
        return self.total - len(self.models)

    def profiles(self, origin: str, effective_from: date) -> list[Price]:
        """The prices as they are to hold from a UTC day on."""
        return [
            Price(model.id, model.rates, effective_from=effective_from, origin=origin)
            for model in self.models
        ]


def parse_catalogue(document: bytes, allow: Collection[str] = ()) -> Catalogue:
    """The models of a catalogue, in order of their ids; of an id that comes twice, the last.

    Skipped are those that match none of the patterns ``allow`` (``anthropic/*``), if there are any;
    those whose tokens cost nothing (``:free``, or paid by image or request); and those with a price
    that is missing, no number, negative (it depends on the request) or above a dollar a token.
    Raises ValueError, which names the place, when the document is no catalogue.
    """
    try:
        entries = msgspec.json.decode(document, type=Document).data
    except ValueError as error:
        raise ValueError(f"this is no catalogue of models: {error}") from None
    listed = {model.id: model for entry in entries if (model := _listed(entry, allow))}
    return Catalogue(len(entries), tuple(listed[name] for name in sorted(listed)))


def _listed(entry: Entry, allow: Collection[str]) -> Listed | None:
    if allow and not any(fnmatchcase(entry.id, pattern) for pattern in allow):
        return None
    try:
        rates = _rates(entry.pricing or UNQUOTED)
    except (ValueError, ArithmeticError):
        return None
    return Listed(entry.id, entry.created, rates) if any(rates) else None


def _rates(quote: Quote) -> Rates:
    return Rates.of_usd(
        input=_usd(quote.prompt),
        output=_usd(quote.completion),
        cached_input=_own(quote.input_cache_read),
        reasoning=_own(quote.internal_reasoning),
    )


def _own(quoted: Raw) -> Decimal | None:
    """None where there is no price of its own."""
    return None if bytes(quoted) == b"null" else _usd(quoted) or None


def _usd(quoted: Raw) -> Decimal:
    """USD per million tokens, to the micro-dollar: who divides may quote decimals without end."""
    return round(msgspec.json.decode(quoted, type=Decimal).scaleb(6), 6)

"""Which usage models are to be billed as a relative of theirs in the catalogue (SRV-12).

``claude-*`` as the newest ``anthropic/claude-*``, ``gpt-*`` as the newest ``openai/gpt-*``,
``gemini-*`` as the newest ``google/gemini-*``. Sizes never mix: a ``codex-mini`` is no ``codex``.
Families do not mix when the name has one: an ``opus`` is an ``opus``, or unpriced. Of the others
comes first

1. the same model in another spelling: ``anthropic/claude-opus-4.5`` for
   ``claude-opus-4-5-20251101``
2. one of the same words, so that an ``opus`` is not billed as an ``opus-fast``
3. one without a family, for a name without one
4. the newest; of equals, the smaller name
"""

import re
from collections.abc import Collection, Iterable
from datetime import date

from vibescore.pricing import day_start, spellings
from vibescore_server.bundled import BUNDLED
from vibescore_server.catalogue import Listed
from vibescore_server.rates import Tariff

KIN = {"claude-": "anthropic/claude-", "gpt-": "openai/gpt-", "gemini-": "google/gemini-"}
FAMILIES = frozenset({"opus", "sonnet", "haiku", "codex", "pro", "flash"})
SIZES = frozenset({"mini", "nano", "lite"})
STAGES = frozenset({"preview", "latest"})


def aliases(
    usage_models: Iterable[str], models: Collection[Listed], tariff: Tariff, day: date
) -> dict[str, str]:
    """The pricing model by usage model, for those that need an alias from ``day`` on.

    ``tariff`` knows the profiles of ``models`` already. A model that has a price by its own name
    needs no alias; only the catalogue's price of it, in another spelling, is preferred to that of
    the bundled list. A model that was given an alias and has a price by now is billed as itself
    again.
    """
    start = day_start(day)
    targets = {model: _target(model, models, tariff, start) for model in sorted(set(usage_models))}
    return {model: target for model, target in targets.items() if target is not None}


def _target(model: str, models: Collection[Listed], tariff: Tariff, start: int) -> str | None:
    own = tariff.price_of_name("", model, start)
    nearest = _nearest(model, models)
    if nearest and (own is None or (own.origin == BUNDLED and _same(model, nearest))):
        return nearest
    return own.model if own and tariff.alias(model, start) else None


def _nearest(model: str, models: Collection[Listed]) -> str | None:
    words = _words(model)

    def distance(other: Listed) -> tuple[bool, bool, bool, float, str]:
        theirs = _words(other.id)
        different = not _same(model, other.id)
        return different, theirs != words, bool(theirs & FAMILIES), -other.created, other.id

    kin = [other for other in models if _is_kin(model, other.id)]
    return min(kin, key=distance).id if kin else None


def _is_kin(model: str, other: str) -> bool:
    """Whether vendor, size and family fit; a variant of a model (``:thinking``) is nobody's kin."""
    prefix = KIN.get("".join(model.partition("-")[:2]))
    if prefix is None or not other.startswith(prefix) or ":" in other:
        return False
    words, theirs = _words(model), _words(other)
    strict = SIZES | FAMILIES if words & FAMILIES else SIZES
    return words & strict == theirs & strict


def _same(model: str, other: str) -> bool:
    """Whether two names differ only in vendor, dots and what ``spellings`` leave out."""
    return not _plain(model).isdisjoint(_plain(other))


def _plain(model: str) -> set[str]:
    return {name.replace(".", "-") for name in spellings(model)}


def _words(model: str) -> frozenset[str]:
    """``claude-opus-4-5-20251101`` → claude, opus."""
    parts = re.split("[-@]", model.rpartition("/")[2])
    return frozenset(part for part in parts if part[:1].isalpha()) - STAGES

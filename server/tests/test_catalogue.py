"""A catalogue becomes exact profiles, and a model that it does not list a relative of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibescore.pricing import Price, Rates, day_start
from vibescore_server.aliases import aliases
from vibescore_server.bundled import bundled
from vibescore_server.catalogue import Catalogue, Listed, parse_catalogue
from vibescore_server.rates import Alias, Tariff

TODAY = date(2026, 11, 9)
CODEX = {
    "id": "openai/gpt-5.2-codex",
    "canonical_slug": "openai/gpt-5.2-codex-20260114",
    "name": "OpenAI: GPT-5.2-Codex",
    "created": 1768409315,
    "description": "…",
    "context_length": 400000,
    "architecture": {"modality": "text+image->text", "instruct_type": None},
    "pricing": {
        "prompt": "0.00000175",
        "completion": "0.000014",
        "web_search": "0.01",
        "input_cache_read": "0.000000175",
    },
    "per_request_limits": None,
}


def document(*entries: Any) -> bytes:
    return json.dumps({"data": entries}).encode()


def quoted(**pricing: Any) -> bytes:
    return document({"id": "vendor/model", "created": 1, "pricing": pricing})


@pytest.mark.requirement("SRV-12")
def test_a_model_of_the_catalogue_becomes_a_profile() -> None:
    catalogue = parse_catalogue(document(CODEX))
    assert catalogue.profiles("openrouter", TODAY) == [
        Price(
            "openai/gpt-5.2-codex",
            Rates(1_750_000, 175_000, 14_000_000, 14_000_000),
            effective_from=TODAY,
            origin="openrouter",
        )
    ]
    assert (catalogue.total, catalogue.skipped) == (1, 0)


QUOTES = {
    "all four": (("0.000002", "0.00001", "0.0000002", "0.00002"), (2, 0.2, 10, 20)),
    "no price of its own for cached input": (("0.000002", "0.00001", None, None), (2, 2, 10, 10)),
    "nor with a zero": (("0.000002", "0.00001", "0", "0"), (2, 2, 10, 10)),
    "or many": (("0.000002", "0.00001", "0.00", 0), (2, 2, 10, 10)),
    "numbers": ((0.000002, 1e-05, 2e-07, 0), (2, 0.2, 10, 10)),
    "with an exponent": (("2e-6", "1E-5", "2E-7", "0"), (2, 0.2, 10, 10)),
    "free output": (("0.000002", "0", None, None), (2, 2, 0, 0)),
    "the smallest that is told exactly": (
        ("0.000000000001", "1", None, None),
        (1e-6, 1e-6, 1e6, 1e6),
    ),
    "decimals without end": (
        ("0.00000008333333333333334", "1", None, None),
        (0.083333, 0.083333, 1e6, 1e6),
    ),
}


@pytest.mark.requirement("SRV-12")
@pytest.mark.parametrize("quote, usd", QUOTES.values(), ids=QUOTES.keys())
def test_usd_per_token_become_micro_usd_per_million_tokens(
    quote: tuple[Any, ...], usd: tuple[float, ...]
) -> None:
    names = ("prompt", "completion", "input_cache_read", "internal_reasoning")
    pricing = {name: price for name, price in zip(names, quote, strict=True) if price is not None}
    (model,) = parse_catalogue(quoted(**pricing)).models
    assert model.rates == Rates(*(round(each * 1_000_000) for each in usd))


@pytest.mark.requirement("SRV-12")
@given(micro=st.integers(1, 10**12))
def test_every_price_that_an_integer_can_tell_is_told_exactly(micro: int) -> None:
    token = f"{Decimal(micro).scaleb(-12):f}"
    (model,) = parse_catalogue(quoted(prompt=token, completion=token)).models
    assert model.rates == Rates(micro, micro, micro, micro)


UNUSABLE = {
    "it depends": {"prompt": "-1", "completion": "-1"},
    "a negative extra": {"prompt": "1e-6", "completion": "1e-6", "input_cache_read": "-1e-7"},
    "free": {"prompt": "0", "completion": "0"},
    "paid by image": {"prompt": "0", "completion": "0", "image": "0.04"},
    "no output": {"prompt": "0.000001"},
    "no input": {"completion": "0.000001"},
    "null": {"prompt": None, "completion": "0.000001"},
    "no number": {"prompt": "much", "completion": "0.000001"},
    "not a number": {"prompt": "NaN", "completion": "0.000001"},
    "no end": {"prompt": "Infinity", "completion": "0.000001"},
    "a loud one": {"prompt": "sNaN", "completion": "0.000001"},
    "empty": {"prompt": "", "completion": "0.000001"},
    "true": {"prompt": True, "completion": "0.000001"},
    "a list": {"prompt": ["0.000001"], "completion": "0.000001"},
    "dollars per million": {"prompt": "1.75", "completion": "14"},
    "beyond measure": {"prompt": "1e400", "completion": "14"},
}


@pytest.mark.requirement("SRV-12")
@pytest.mark.parametrize("pricing", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_model_without_a_usable_price_is_skipped_and_counted(pricing: dict[str, Any]) -> None:
    bad = {"id": "vendor/model", "created": 1, "pricing": pricing}
    catalogue = parse_catalogue(document(bad, CODEX))
    assert [model.id for model in catalogue.models] == ["openai/gpt-5.2-codex"]
    assert (catalogue.total, catalogue.skipped) == (2, 1)


@pytest.mark.requirement("SRV-12")
def test_a_model_without_pricing_is_skipped_and_of_two_with_one_id_the_last_counts() -> None:
    unquoted = [{"id": "a/none"}, {"id": "a/null", "pricing": None}, {"id": "a/no", "pricing": {}}]
    twin = CODEX | {"pricing": {"prompt": "0.000001", "completion": "0.000001"}}
    catalogue = parse_catalogue(document(*unquoted, CODEX, twin))
    assert [model.rates.input for model in catalogue.models] == [1_000_000]
    assert (catalogue.total, catalogue.skipped) == (5, 4)


def listed(*ids: str) -> list[Listed]:
    """Models of the catalogue, each newer than the one before."""
    return [Listed(name, when, Rates(*[when] * 4)) for when, name in enumerate(ids, 1)]


ALLOWED = {
    "everything": ([], {"anthropic/claude-opus-4.5", "openai/gpt-5.2", "openai/gpt-5.2-codex"}),
    "an id": (["openai/gpt-5.2"], {"openai/gpt-5.2"}),
    "a pattern": (["openai/*"], {"openai/gpt-5.2", "openai/gpt-5.2-codex"}),
    "several": (
        ["anthropic/*", "*-codex"],
        {"anthropic/claude-opus-4.5", "openai/gpt-5.2-codex"},
    ),
    "nothing there": (["google/*"], set()),
    "of this case": (["OpenAI/*"], set()),
}


@pytest.mark.requirement("SRV-12")
@pytest.mark.parametrize("allow, ids", ALLOWED.values(), ids=ALLOWED.keys())
def test_only_allowed_models_are_taken(allow: list[str], ids: set[str]) -> None:
    names = ("openai/gpt-5.2", "anthropic/claude-opus-4.5", "openai/gpt-5.2-codex")
    catalogue = parse_catalogue(document(*(CODEX | {"id": name} for name in names)), allow)
    assert {model.id for model in catalogue.models} == ids
    assert (catalogue.total, catalogue.skipped) == (3, 3 - len(ids))


BROKEN = {
    "no JSON": (b"<html>", "malformed"),
    "cut off": (b'{"data": [{"id":', "truncated"),
    "empty": (b"", "truncated"),
    "no text": (b'{"data": [{"id": "\xff"}]}', "utf-8"),
    "a list": (b"[]", "Expected `object`, got `array`"),
    "no data": (b"{}", "missing required field `data`"),
    "data is no list": (b'{"data": {}}', "$.data"),
    "an error of the seller": (b'{"error": {"message": "x"}}', "missing required field `data`"),
    "an entry is no object": (b'{"data": [7]}', "$.data[0]"),
    "a second entry without id": (b'{"data": [{"id": "a"}, {}]}', "$.data[1]"),
    "an id is no text": (b'{"data": [{"id": 7}]}', "$.data[0].id"),
    "an id is empty": (b'{"data": [{"id": ""}]}', "$.data[0].id"),
    "an id is too long to keep": (b'{"data": [{"id": "%s"}]}' % (b"a" * 129), "$.data[0].id"),
    "a date is no number": (b'{"data": [{"id": "a", "created": "now"}]}', "$.data[0].created"),
    "pricing is no object": (b'{"data": [{"id": "a", "pricing": "1"}]}', "$.data[0].pricing"),
}


@pytest.mark.requirement("SRV-12")
@pytest.mark.parametrize("text, what", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_catalogue_is_refused_with_the_place(text: bytes, what: str) -> None:
    with pytest.raises(ValueError, match="this is no catalogue of models") as caught:
        parse_catalogue(text)
    assert what in str(caught.value)


def renamed(
    usage_models: Iterable[str], models: list[Listed], *, known: Iterable[Alias] = ()
) -> dict[str, str]:
    profiles = Catalogue(len(models), tuple(models)).profiles("openrouter", TODAY)
    return aliases(usage_models, models, Tariff(profiles, known, bundled()), TODAY)


ANTHROPIC = (
    "anthropic/claude-3.5-haiku",
    "anthropic/claude-opus-4.5",
    "anthropic/claude-opus-4.6",
    "anthropic/claude-opus-4.6-fast",
    "anthropic/claude-opus-4.6:thinking",
    "anthropic/claude-sonnet-4.6",
    "~anthropic/claude-opus-latest",
)
OPENAI = (
    "openai/gpt-4o",
    "openai/gpt-5.2",
    "openai/gpt-5.3",
    "openai/gpt-5.2-codex",
    "openai/gpt-5.2-pro",
    "openai/gpt-5.3-codex-mini",
    "openai/gpt-5.3-nano",
    "openai/o7",
)
GOOGLE = (
    "google/gemini-3-pro-preview",
    "google/gemini-3-flash",
    "google/gemini-3.1-flash-image",
    "google/gemini-3.1-flash-lite",
    "google/gemma-5-27b-it",
)
OTHERS = ("x-ai/grok-9", "vendor/claude-opus-99", "vendor/gpt-99", "vendor/gemini-99-pro")
EVERYBODY = listed(*ANTHROPIC, *OPENAI, *GOOGLE, *OTHERS)

RELATIVES = {
    "the case of the requirement": ("claude-opus-4-5-20251101", "anthropic/claude-opus-4.5"),
    "the newest of a family": ("claude-opus-4-99", "anthropic/claude-opus-4.6"),
    "with a date": ("claude-opus-4-99-20270101", "anthropic/claude-opus-4.6"),
    "with the words in another order": ("claude-99-haiku", "anthropic/claude-3.5-haiku"),
    "the newest sonnet": ("claude-sonnet-99-latest", "anthropic/claude-sonnet-4.6"),
    "no family in the name": ("gpt-98", "openai/gpt-5.3"),
    "a word that nobody has": ("gpt-98-astra", "openai/gpt-5.3"),
    "a codex": ("gpt-98-codex", "openai/gpt-5.2-codex"),
    "a codex with a word that no codex has": ("gpt-98-codex-max", "openai/gpt-5.2-codex"),
    "a small codex": ("gpt-98-codex-mini", "openai/gpt-5.3-codex-mini"),
    "a pro": ("gpt-98-pro", "openai/gpt-5.2-pro"),
    "a nano": ("gpt-98-nano", "openai/gpt-5.3-nano"),
    "a gemini pro": ("gemini-98-pro", "google/gemini-3-pro-preview"),
    "the same model without its stage": ("gemini-3-pro", "google/gemini-3-pro-preview"),
    "a flash": ("gemini-99-flash-preview", "google/gemini-3-flash"),
    "a flash-lite": ("gemini-99-flash-lite", "google/gemini-3.1-flash-lite"),
    "a size that is not there": ("gpt-98-lite", None),
    "a size of a family that is not there": ("gemini-99-pro-lite", None),
    "a family of another vendor": ("gpt-98-opus", None),
    "another product": ("grok-99", None),
    "a product without more": ("claude", None),
    "a product in another word": ("claudette-opus-4", None),
    "a name that only begins with a vendor": ("openai-gpt-98", None),
    "unknown": ("unknown", None),
    "exactly in the catalogue": ("openai/gpt-5.2-codex", None),
    "a suffix in the catalogue": ("gpt-5.2-codex", None),
    "a suffix of whatever vendor": ("gpt-99", None),
    "a suffix without its date": ("gpt-5.2-codex-20260114", None),
    "only in the bundled list": ("gpt-5.1-codex", None),
    "only in the bundled list, without its date": ("claude-opus-4-1-20250805", None),
}


@pytest.mark.requirement("SRV-12")
@pytest.mark.parametrize("model, target", RELATIVES.values(), ids=RELATIVES.keys())
def test_a_model_without_a_price_is_billed_as_the_newest_of_its_family_or_not_at_all(
    model: str, target: str | None
) -> None:
    assert renamed([model], EVERYBODY) == ({model: target} if target else {})


@pytest.mark.requirement("SRV-12")
def test_the_order_of_models_is_irrelevant_and_of_equals_the_smaller_name_is_taken() -> None:
    rates = Rates(1, 1, 1, 1)
    twins = [Listed(f"openai/gpt-{number}", 7, rates) for number in (7, 6, 8)]
    assert renamed(["gpt-99"], twins) == {"gpt-99": "openai/gpt-6"}
    assert renamed(["gpt-99"], twins[::-1]) == {"gpt-99": "openai/gpt-6"}
    usage = ["gpt-98", "claude-opus-98", "unknown", "grok-9", "gpt-98"]
    assert renamed(usage[::-1], EVERYBODY[::-1]) == renamed(usage, EVERYBODY)


@pytest.mark.requirement("SRV-12")
@pytest.mark.parametrize("missing", ["anthropic", "openai", "google"])
def test_without_its_vendor_a_model_stays_unpriced(missing: str) -> None:
    models = [model for model in EVERYBODY if not model.id.startswith(missing)]
    usage = {"anthropic": "claude-opus-98", "openai": "gpt-98", "google": "gemini-98-flash"}
    assert set(renamed(usage.values(), models)) == set(usage.values()) - {usage[missing]}


@pytest.mark.requirement("SRV-12")
def test_for_a_name_without_a_family_one_of_a_family_is_better_than_none() -> None:
    models = listed("openai/gpt-5.2-codex", "openai/gpt-5.2-nano")
    assert renamed(["gpt-99"], models) == {"gpt-99": "openai/gpt-5.2-codex"}


@pytest.mark.requirement("SRV-12")
def test_a_model_that_gets_a_price_of_its_own_is_no_longer_billed_as_another() -> None:
    known = [Alias("gpt-99", "openai/gpt-5.3", date(2026, 11, 1))]
    models = listed("openai/gpt-5.3", "openai/gpt-99")
    new = renamed(["gpt-99"], models, known=known)
    profiles = Catalogue(2, tuple(models)).profiles("openrouter", date(2026, 11, 1))
    added = [Alias(usage, target, TODAY) for usage, target in new.items()]
    tariff = Tariff(profiles, [*known, *added], bundled())
    days = (date(2026, 11, 8), TODAY)
    prices = [tariff.price("codex", "gpt-99", day_start(day)) for day in days]
    assert [price and price.rates.input for price in prices] == [1, 2]


@pytest.mark.requirement("SRV-12")
def test_syncing_again_generates_the_same_aliases() -> None:
    usage = ["claude-opus-4-5-20251101", "gpt-98", "gemini-3-pro"]
    once = renamed(usage, EVERYBODY)
    assert set(once) == set(usage)
    known = [Alias(model, target, TODAY) for model, target in once.items()]
    assert renamed(usage, EVERYBODY, known=known) == once


@pytest.mark.requirement("SRV-12")
def test_the_alias_prices_the_case_of_the_requirement() -> None:
    opus = {"prompt": "0.000006", "completion": "0.00003", "input_cache_read": "0.0000006"}
    entry = {"id": "anthropic/claude-opus-4.5", "created": 1764010580, "pricing": opus}
    catalogue = parse_catalogue(document(CODEX, entry))
    model = "claude-opus-4-5-20251101"
    profiles = catalogue.profiles("openrouter", TODAY)
    targets = aliases([model], catalogue.models, Tariff(profiles, [], bundled()), TODAY)
    known = [Alias(usage, target, TODAY) for usage, target in targets.items()]
    price = Tariff(profiles, known, bundled()).price("claude", model, day_start(TODAY))
    assert price is not None
    assert (price.origin, price.rates) == (
        "openrouter",
        Rates(6_000_000, 600_000, 30_000_000, 30_000_000),
    )

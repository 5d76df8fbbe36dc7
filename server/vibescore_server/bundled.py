"""The list of public prices that comes with vibescore, so that costs need no network (SRV-12)."""

import tomllib
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files

from vibescore.pricing import Price, parse_prices

BUNDLED = "bundled"
"""The name of this list among the pricing sources."""


def bundled() -> list[Price]:
    """All its prices; reads a file, so whoever needs them often keeps them."""
    text = files("vibescore").joinpath("prices.toml").read_text("utf-8")
    prices = parse_prices(tomllib.loads(text, parse_float=Decimal))
    return [replace(price, origin=BUNDLED) for price in prices]

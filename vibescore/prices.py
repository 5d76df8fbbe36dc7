"""The price files: the bundled list of public prices, and the user's own before it."""

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

from vibescore.errors import ConfigError
from vibescore.pricing import Price, PriceList, parse_prices

OWN = "prices.toml"
"""The user's file, in the home."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The bundled prices with the day on which they were public, and the user's own."""

    as_of: date
    bundled: list[Price]
    own: list[Price]

    def in_layers(self) -> PriceList:
        """For looking up: an own price comes before a bundled one."""
        return PriceList(self.own, self.bundled)


def load_prices(home: Path) -> Prices:
    """All prices. Raises ConfigError, which names the file, the entry and the field."""
    bundled = _decoded(files("vibescore").joinpath(OWN).read_text("utf-8"))
    return Prices(bundled["as_of"], parse_prices(bundled), _own_prices(home / OWN))


def _own_prices(path: Path) -> list[Price]:
    try:
        return parse_prices(_decoded(path.read_text("utf-8-sig")))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be used: {error}. Mend it or move it away") from error


def _decoded(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=Decimal)

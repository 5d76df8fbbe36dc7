"""The price files: the bundled list, the user's own before it, and what is wrong with one."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rollouts import Rollout
from support import Computer

import vibescore
from vibescore.errors import ConfigError

BUNDLED = Path(vibescore.__file__).parent / "prices.toml"
OWN = """
[[price]]
model = "gpt-5.1"
input = 2
output = "20"

[[price]]
model = "mystery-1"
source = "codex"
from = 2026-08-10
input = 1.5
cached_input = 0.25
output = 3
reasoning = 4
"""


@pytest.fixture
def used(computer: Computer) -> Computer:
    """A computer with a million tokens in, and a million out, of two models on two days."""
    for number, model in enumerate(("gpt-5.1", "mystery-1"), 1):
        rollout = Rollout(number, "2026-08-09T10:00:00").meta().model(model)
        rollout.usage(1_000_000, 0, 0, 0, at="2026-08-09T12:00:00")
        rollout.usage(0, 0, 1_000_000, 0, at="2026-08-10T12:00:00").save(computer.home)
    computer.sync()
    return computer


def own(computer: Computer, text: str) -> None:
    computer.own.mkdir(exist_ok=True)
    (computer.own / "prices.toml").write_text(text, "utf-8")


def prices(computer: Computer, *arguments: str) -> Any:
    ran = computer.run("prices", *arguments, "--json")
    assert (ran.code, ran.errors) == (0, "")
    return json.loads(ran.output)


def costs(computer: Computer) -> dict[str, tuple[str | None, int]]:
    """By model: what it cost, and how many of its tokens have no price."""
    ran = computer.run("report", "models", "--json")
    rows = json.loads(ran.output)["rows"]
    return {
        row["model"]: (row["totals"]["cost_usd"], row["totals"]["unpriced_tokens"]) for row in rows
    }


@pytest.mark.requirement("CLI-09", "SRV-12")
def test_without_a_file_of_ones_own_the_bundled_prices_hold(used: Computer) -> None:
    assert costs(used) == {"gpt-5.1": ("11.25", 0), "mystery-1": (None, 2_000_000)}


@pytest.mark.requirement("CLI-09")
def test_own_prices_come_first_from_their_day_on(used: Computer) -> None:
    own(used, OWN)
    assert costs(used) == {"gpt-5.1": ("22", 0), "mystery-1": ("3", 1_000_000)}
    shown = used.run("report", "models").output
    assert "≥$3.00" in shown
    assert "No price is known for mystery-1" in shown


@pytest.mark.requirement("CLI-09")
def test_prices_shows_each_price_its_origin_and_the_date_of_the_list(used: Computer) -> None:
    own(used, OWN)
    answer = prices(used)
    mystery = next(row for row in answer["prices"] if row["model"] == "mystery-1")
    assert mystery == {
        "model": "mystery-1",
        "source": "codex",
        "from": "2026-08-10",
        "origin": "your file",
        "input": "1.5",
        "cached_input": "0.25",
        "output": "3",
        "reasoning": "4",
    }
    rows = [row["origin"] for row in prices(used, "gpt-5.1")["prices"] if row["model"] == "gpt-5.1"]
    assert rows == ["your file", "bundled"]
    text = used.run("prices").output
    assert f"The bundled list is of {answer['as_of']}" in text
    assert "~/.vibescore/prices.toml" in text
    assert answer["own_file"] == str(used.own / "prices.toml")


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("name", ["gpt-5.2-codex", "openai/gpt-5.2-codex-2026-01-14"])
def test_prices_tells_what_a_model_is_billed_by(name: str, computer: Computer) -> None:
    (row,) = prices(computer, name)["prices"]
    rates = [row["input"], row["cached_input"], row["output"], row["reasoning"]]
    assert (row["model"], row["origin"]) == ("gpt-5.2-codex", "bundled")
    assert rates == ["1.75", "0.175", "14", "14"]
    assert "gpt-5.2-codex" in computer.run("prices", name).output


@pytest.mark.requirement("CLI-09")
def test_prices_says_when_it_knows_none(computer: Computer) -> None:
    assert "No price is known for 'mystery-1'" in computer.run("prices", "mystery-1").output
    assert prices(computer, "mystery-1")["prices"] == []
    assert not computer.own.exists()


BROKEN = {
    "no toml": ("[[price", "Expected ']]'"),
    "no list": ("price = 3", "[[price]]"),
    "a list of something else": ("price = [3]", "[[price]]"),
    "something else beside": ("prices = []", "'prices'"),
    "no model": ("[[price]]\ninput = 1\noutput = 1", "price 1: ", "`model`"),
    "an empty model": ('[[price]]\nmodel = ""\ninput = 1\noutput = 1', "price 1, field 'model'"),
    "no input": ('[[price]]\nmodel = "m"\noutput = 1', "price 1 ('m')", "`input`"),
    "no output": ('[[price]]\nmodel = "m"\ninput = 1', "price 1 ('m')", "`output`"),
    "a field that is none": (OWN + "cached = 1", "price 2 ('mystery-1')", "`cached`"),
    "a text for a number": ('price = [{model="m",input="a",output=1}]', "('m'), field 'input'"),
    "yes for a number": ('price = [{model="m",input=1,output=true}]', "('m'), field 'output'"),
    "less than nothing": ('price = [{model="m",input=-1,output=1}]', "('m'), field 'input'", "-1"),
    "no number": ('price = [{model="m",input=nan,output=1}]', "('m'), field 'input'"),
    "no end": ('price = [{model="m",input=1,output=inf}]', "('m'), field 'output'"),
    "another unit": ('price = [{model="m",input=1,output=1e7}]', "('m'), field 'output'"),
    "too fine": (
        'price = [{model="m",input=1,cached_input=0.0000001,output=1}]',
        "('m'), field 'cached_input'",
        "six decimals",
    ),
    "no day": ('price = [{model="m",input=1,output=1,from="soon"}]', "('m'), field 'from'"),
    "a time": (
        'price = [{model="m",input=1,output=1,from=2026-01-01T00:00:00Z}]',
        "('m'), field 'from'",
    ),
    "a number for a source": ('price = [{model="m",source=1,input=1,output=1}]', "field 'source'"),
    "the same twice": (OWN + OWN, "price 3 ('gpt-5.1')", "price 1"),
}


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("command", ["report", "prices"])
@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_named_with_its_entry_and_field(
    case: tuple[str, ...], command: str, computer: Computer
) -> None:
    text, *named = case
    own(computer, text)
    with pytest.raises(ConfigError) as caught:
        computer.run(command)
    for part in (str(computer.own / "prices.toml"), *named, "Mend it"):
        assert part in str(caught.value)


@pytest.mark.requirement("CLI-09", "CLI-05")
def test_a_file_that_cannot_be_read_is_one_sentence(computer: Computer) -> None:
    (computer.own / "prices.toml").mkdir(parents=True)
    ran = computer.program("report")
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors.count("\n") == 1
    assert str(computer.own / "prices.toml") in ran.errors


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\ufeff" + OWN, "price = []"])
def test_a_file_may_be_empty_or_begin_with_a_byte_order_mark(text: str, computer: Computer) -> None:
    own(computer, text)
    mine = [row for row in prices(computer)["prices"] if row["origin"] == "your file"]
    assert len(mine) == text.count("[[price]]")


PUBLIC = {
    "gpt-5.2-codex": (Decimal("1.75"), Decimal("0.175"), Decimal(14)),
    "gpt-5": (Decimal("1.25"), Decimal("0.125"), Decimal(10)),
    "gpt-5-mini": (Decimal("0.25"), Decimal("0.025"), Decimal(2)),
    "claude-opus-4-5": (Decimal(5), Decimal("0.5"), Decimal(25)),
    "claude-sonnet-4-5": (Decimal(3), Decimal("0.3"), Decimal(15)),
    "gemini-2.5-pro": (Decimal("1.25"), Decimal("0.125"), Decimal(10)),
    "gemini-3-pro": (Decimal(2), Decimal("0.2"), Decimal(12)),
}


@pytest.mark.requirement("SRV-12", "CLI-09")
def test_the_bundled_list_holds_the_public_prices_of_its_date(computer: Computer) -> None:
    listed = {row["model"]: row for row in prices(computer)["prices"]}
    for model, rates in PUBLIC.items():
        shown = (listed[model][name] for name in ("input", "cached_input", "output"))
        assert tuple(map(Decimal, shown)) == rates
    assert date.fromisoformat(prices(computer)["as_of"]) >= date(2026, 11, 1)


@pytest.mark.requirement("SRV-12")
def test_the_bundled_list_is_plausible() -> None:
    """Cached input is never dearer than other input, output never cheaper."""
    table = tomllib.loads(BUNDLED.read_text("utf-8"))
    for entry in table["price"]:
        assert 0 < entry.get("cached_input", entry["input"]) <= entry["input"] <= entry["output"]
    assert "unknown" not in {entry["model"] for entry in table["price"]}

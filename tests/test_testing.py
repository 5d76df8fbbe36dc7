"""The conformance kit: a right plugin passes, and for every mistake the check that names it fails
(PLG-03).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from wrong import CODES, EXPECTED, OF_TOOL, SAMPLES, WRITE_LEDGER, WRONG, Wrong

from vibescore.testing import PluginContract, SourceContract

DOCUMENTATION = Path(__file__).resolve().parents[1] / "docs" / "conformance.md"

CONTRACT = """
from pathlib import Path

import {source}_plugin
from vibescore.testing import {kind}


class TestConformance({kind}):
    plugin = {source}_plugin
    source = "{source}"
    home = Path(__file__).parent / "samples"
    {more}
"""

ALONE = '''
from vibescore import hookimpl


@hookimpl
def vibescore_backfill_model(slot, timeline):
    """The model of the nearest half-hour of another tool."""
    nearest = timeline.nearest("diary", slot.start)
    return timeline.dominant(nearest) if nearest else None
'''


class Checked(NamedTuple):
    """What the checks of the kit said: which passed and which were left out, and the messages of
    those that failed.
    """

    passed: set[str]
    skipped: set[str]
    failed: dict[str, str]


def check(
    pytester: pytest.Pytester, source: str, code: str, more: str = "", kind: str = "SourceContract"
) -> Checked:
    """Run the kit on a plugin, as its author does."""
    pytester.makepyfile(
        **{f"{source}_plugin": code},
        test_conformance=CONTRACT.format(source=source, more=more.strip(), kind=kind),
    )
    for path, content in SAMPLES.items():
        if OF_TOOL[source] in path:
            target = pytester.path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, "utf-8")
    (pytester.path / "expected.jsonl").write_text(EXPECTED.lstrip(), "utf-8")
    passed, skipped, failed = pytester.inline_run("-pno:cacheprovider").listoutcomes()
    return Checked(
        {named(report) for report in passed},
        {named(report) for report in skipped},
        {named(report): report.longreprtext for report in failed},
    )


def named(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.nodeid.rpartition("::")[2]


def checks(contract: type[PluginContract]) -> set[str]:
    return {name for name in dir(contract) if name.startswith("test_")}


@pytest.mark.requirement("PLG-03")
@pytest.mark.parametrize("source", CODES)
def test_a_right_plugin_passes(pytester: pytest.Pytester, source: str) -> None:
    more = {"diary": 'expected = Path(__file__).parent / "expected.jsonl"', "ledger": WRITE_LEDGER}
    checked = check(pytester, source, CODES[source], more.get(source, ""))
    assert checked.failed == {}
    assert checked.passed | checked.skipped == checks(SourceContract)
    assert len(checked.passed) > 20


@pytest.mark.requirement("PLG-03")
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_plugin_fails_the_check_that_names_its_mistake(
    pytester: pytest.Pytester, wrong: Wrong
) -> None:
    checked = check(pytester, wrong.base, wrong.code, wrong.contract)
    assert checked.failed.keys() == set(wrong.fails)
    message = checked.failed[wrong.fails[0]]
    assert [words for words in wrong.says if words not in message] == []
    assert "What to do: " in message


@pytest.mark.requirement("PLG-03")
def test_every_check_is_failed_by_a_wrong_plugin() -> None:
    assert {wrong.fails[0] for wrong in WRONG.values()} == checks(SourceContract)


@pytest.mark.requirement("PLG-03", "BKF-08")
def test_a_plugin_without_logs_has_a_smaller_contract(pytester: pytest.Pytester) -> None:
    checked = check(pytester, "diary", ALONE, kind="PluginContract")
    assert checked == Checked(checks(PluginContract), set(), {})


@pytest.mark.requirement("PLG-03")
def test_logs_may_be_found_through_a_variable(pytester: pytest.Pytester) -> None:
    place = 'env.directory("DIARY_HOME") or env.home'
    code = CODES["diary"].replace('Tree(env.home / ".diary"', f'Tree(({place}) / "2026"')
    more = 'variables = {"DIARY_HOME": "{home}/.diary"}\n    foreign = ("*/one.jsonl",)'
    checked = check(pytester, "diary", code, more)
    assert checked.failed == {}
    assert "test_every_sample_is_recognised" in checked.passed


@pytest.mark.requirement("PLG-03")
def test_a_check_that_does_not_fit_is_left_out_in_the_open(pytester: pytest.Pytester) -> None:
    wrong = WRONG["counts from another year"]
    checked = check(pytester, "diary", wrong.code, f"{wrong.fails[0]} = None")
    assert checked.failed == {}
    assert checked.passed | checked.skipped == checks(SourceContract) - {wrong.fails[0]}


@pytest.mark.requirement("PLG-03")
def test_a_plugin_is_found_by_its_entry_point(pytester: pytest.Pytester) -> None:
    """Without ``plugin``: the installed one, and none at all under a name that is not installed."""
    more = "plugin = None\n    source = 'gemini'"
    assert check(pytester, "diary", ALONE, more, "PluginContract").failed == {}
    none = check(
        pytester, "diary", ALONE, "plugin = None\n    source = 'no-such'", "PluginContract"
    )
    assert "no such plugin is installed" in none.failed["test_the_plugin_loads"]


@pytest.mark.requirement("PLG-03")
def test_every_check_is_documented() -> None:
    described = re.findall(r"^### `(test_\w+)`$", DOCUMENTATION.read_text("utf-8"), re.MULTILINE)
    assert sorted(described) == sorted(checks(SourceContract))

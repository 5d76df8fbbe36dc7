"""Logs that are broken, foreign, or spelled otherwise than the samples."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from vibescore.errors import PluginError
from vibescore.model import Tree
from vibescore.reader import MALFORMED
from vibescore.testing.experiments import (
    damaged_heads,
    damaged_records,
    littered,
    respelled,
    without_skip,
)
from vibescore.testing.lab import Lab, Sample
from vibescore.testing.mutations import BROKEN, spaced, turned
from vibescore.testing.readings import check_shape
from vibescore.testing.sample_contract import SampleContract
from vibescore.testing.verdicts import check_problems, check_state, check_whole, fail
from vibescore.testing.watch import Watched, explained


class DamageChecks(SampleContract):
    """Logs that are broken, foreign, or spelled otherwise than the samples."""

    def test_broken_records_change_nothing(self, lab: Lab) -> None:
        """Broken, foreign and lone records between the others are skipped and counted (COL-09)."""
        if not lab.logs:
            pytest.skip("no sample has one record a line")
        sandbox = lab.sandbox({**lab.files, **{log.path: littered(log) for log in lab.logs}})
        check_problems(sandbox, sandbox.sync(), "With broken records between those of the samples")
        check_whole(
            lab,
            sandbox,
            "With broken, foreign and lone records between those of the samples",
            "count a record only when it has all that makes it usage, and remember (context.state)"
            " nothing from one that has not",
        )
        sandbox = lab.sandbox({log.path: log.content + BROKEN + b"\n" for log in lab.logs})
        sandbox.sync()
        if sandbox.skipped().get(MALFORMED, 0) < len(lab.logs):
            fail(
                f"The line {BROKEN.decode()} is not counted as a malformed record",
                "let Lines.skip match only whole beginnings that the tool writes itself",
            )

    def test_damaged_records_raise_nothing(self, lab: Lab) -> None:
        """Every field missing, of another type, negative or huge (COL-09)."""
        for sample in lab.samples:
            for what, record, context in damaged_records(lab, sample):
                _check_answer(sample, what, partial(lab.plugin.parse, [record], context))
                check_state(context.state, f"{sample.path} with {what}")
            for what, head in damaged_heads(lab, sample):
                path = Path(sample.job.found.path)
                _check_answer(sample, what, partial(_identity, lab.plugin, path, head, sample.tree))

    def test_any_spelling_counts_the_same(self, lab: Lab) -> None:
        """JSON may be written in many ways, and what is skipped must not matter (COL-03)."""
        mend = "let Lines.skip match only what proves by itself that the line cannot matter"
        if lab.logs:
            sandbox = lab.sandbox(lab.files)
            sandbox.sync(plugin=lab.plugin.altered(without_skip))
            check_whole(lab, sandbox, "When no line is skipped", mend)
        for spell, what in ((spaced, "spaces between all signs"), (turned, "keys turned round")):
            sandbox = lab.sandbox(respelled(lab, spell))
            check_problems(sandbox, sandbox.sync(), f"With {what}")
            check_whole(lab, sandbox, f"With {what}", mend)


def _identity(plugin: Watched, path: Path, head: Any, tree: Tree) -> list[Any]:
    plugin.identify(path, head, tree)
    return []


def _check_answer(sample: Sample, what: str, ask: Callable[[], list[Any]]) -> None:
    """Fail if a hook raises, or gives usage that cannot be kept."""
    try:
        for usage in ask():
            check_shape(usage)
    except (PluginError, TypeError) as error:
        fail(
            f"{sample.path} with {what} is too much: {explained(error.__cause__ or error)}",
            "look before you reckon: any field may be missing (None), and any number negative or"
            " huge; context.skip(reason) counts what is left out",
        )

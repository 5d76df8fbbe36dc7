"""Codex holds what every source has to hold (PLG-03)."""

from pathlib import Path

import pytest

from vibescore.testing import SourceContract

HERE = Path(__file__).parent


@pytest.mark.requirement("PLG-03", "COL-01", "COL-02", "COL-03", "COL-08", "COL-09", "COL-10")
class TestCodex(SourceContract):
    source = "codex"
    home = HERE / "samples"
    expected = HERE / "expected.jsonl"
    foreign = ("*-019d5555-*",)  # Every Code's, in the same tree

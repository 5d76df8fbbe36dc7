"""Every Code holds what every source has to hold (PLG-03)."""

from pathlib import Path

import pytest

from vibescore.testing import SourceContract

HERE = Path(__file__).parent


@pytest.mark.requirement("PLG-03", "COL-01", "COL-02", "COL-04", "COL-08", "COL-09", "COL-10")
class TestEveryCode(SourceContract):
    source = "every-code"
    home = HERE / "samples"
    expected = HERE / "expected.jsonl"
    foreign = ("*-019e1111-*",)  # Codex's, in its own tree

"""Gemini holds what every source has to hold (PLG-03)."""

from pathlib import Path

import pytest

from vibescore.testing import SourceContract

HERE = Path(__file__).parent


@pytest.mark.requirement("PLG-03", "COL-01", "COL-02", "COL-05", "COL-06", "COL-08", "COL-10")
class TestGemini(SourceContract):
    source = "gemini"
    home = HERE / "samples"
    expected = HERE / "expected.jsonl"
    reasoning_beside_output = True  # COL-06

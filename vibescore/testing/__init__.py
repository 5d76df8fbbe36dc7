"""The conformance kit: what every plugin of vibescore has to hold, as a few lines of pytest.

    from pathlib import Path
    from vibescore.testing import SourceContract

    class TestDiary(SourceContract):
        source = "diary"
        home = Path(__file__).parent / "samples"
        expected = Path(__file__).parent / "expected.jsonl"

``docs/conformance.md`` says what each check means and what to do when it fails. Needs pytest:
``pip install 'vibescore[testing]'``.
"""

from vibescore.testing.plugin_contract import PluginContract
from vibescore.testing.source_contract import SourceContract

__all__ = ["PluginContract", "SourceContract"]

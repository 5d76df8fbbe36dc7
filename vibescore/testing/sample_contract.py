"""Samples of an author, ready for the checks."""

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import ClassVar

import pytest

from vibescore.errors import PluginError
from vibescore.testing.lab import Lab
from vibescore.testing.plugin_contract import PluginContract
from vibescore.testing.sandbox import Sandbox, files_below
from vibescore.testing.watch import Watched


class SampleContract(PluginContract):
    """What all checks with samples share; see SourceContract."""

    home: ClassVar[Path]
    expected: ClassVar[Path | None] = None
    foreign: ClassVar[tuple[str, ...]] = ()
    reasoning_beside_output: ClassVar[bool] = False

    def write_samples(self, home: Path) -> None:
        """Put the samples into an empty home. Override it to write a database."""
        for path, content in files_below(self.home).items():
            target = home / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    @pytest.fixture
    def untried(self, loaded: Watched, tmp_path: Path, life: ExitStack) -> Lab:
        """The samples, as yet unread."""
        folder = tmp_path.resolve()
        written = folder / "samples"
        written.mkdir()
        self.write_samples(written)
        return Lab(folder, loaded, self.variables, files_below(written), life)

    @pytest.fixture
    def lab(self, untried: Lab) -> Lab:
        """The samples and their totals; checks that need them wait until they can be read."""
        summary = untried.original.sync()
        with suppress(PluginError):
            untried.learn()
        if summary.problems or not untried.whole:
            pytest.skip("the samples cannot be read yet: see test_the_samples_are_read")
        return untried

    def exercise(self, plugin: Watched, sandbox: Sandbox) -> None:
        """Call every hook, also those that need logs."""
        self.write_samples(sandbox.home)
        super().exercise(plugin, sandbox)

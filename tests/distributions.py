"""Distributions as their authors publish them, and the environment of a user who installs them.

Ours are built as they are released. The strangers' in `tests/third_party` are built from copies
elsewhere, as their authors, who do not have our checkout, would.
"""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support import Computer

ROOT = Path(__file__).resolve().parents[1]
STRANGERS = ROOT / "tests/third_party"
UV = Path(sysconfig.get_path("scripts"), "uv")
DEV: Mapping[str, Any] = runpy.run_path(str(ROOT / "dev.py"))


def plugins_in(folder: Path) -> dict[str, str]:
    """The plugins that the projects in a folder declare: the entry point's name, and the
    distribution's.
    """
    projects = [tomllib.loads(path.read_text("utf-8")) for path in folder.glob("*/pyproject.toml")]
    return {
        name: project["project"]["name"]
        for project in projects
        for name in project["project"].get("entry-points", {}).get("vibescore", {})
    }


def build_ours(wheels: Path) -> None:
    """What `dev.py wheels` releases (CLI-02), but for the dashboard, which npm has to build."""
    DEV["wheels"](wheels, VIBESCORE_SKIP_DASHBOARD="1")


def build_stranger(name: str, wheels: Path, changes: Mapping[str, str] | None = None) -> None:
    """The wheel of a project in `tests/third_party`, with these changes to the text of its
    files.
    """
    source = wheels / f"source-{name}"
    shutil.copytree(STRANGERS / name, source, ignore=shutil.ignore_patterns("__pycache__"))
    for old, new in (changes or {}).items():
        change(source, old, new)
    options = ("--no-build-isolation", "--python", sys.executable, "--out-dir", wheels)
    uv("build", "--wheel", *options, source)
    shutil.rmtree(source)


def change(folder: Path, old: str, new: str) -> None:
    """Replace the one place in the files of a folder that reads so."""
    (path,) = (path for path in folder.iterdir() if old in path.read_text("utf-8"))
    before, after = path.read_text("utf-8").split(old)
    path.write_text(before + new + after, "utf-8")


@dataclass(frozen=True, slots=True)
class Installation:
    """A virtual environment with vibescore and the plugins that were installed from wheels."""

    folder: Path
    wheels: Path

    @classmethod
    def fresh(cls, folder: Path, wheels: Path) -> Installation:
        """One with vibescore alone."""
        uv("venv", "--python", sys.executable, folder)
        made = cls(folder, wheels)
        made._install_pinned()
        made.install("vibescore")
        return made

    @property
    def python(self) -> Path:
        return self.folder / "bin/python"

    @property
    def packages(self) -> Path:
        (folder,) = self.folder.glob("lib/*/site-packages")
        return folder

    @property
    def core(self) -> dict[str, str]:
        """The installed files of vibescore itself, as hashes."""
        package = self.packages / "vibescore"
        files = [path for path in package.rglob("*") if path.suffix != ".pyc" and path.is_file()]
        return {str(path): sha256(path.read_bytes()).hexdigest() for path in files}

    def has(self, distribution: str) -> bool:
        """Also true of what came along because another distribution requires it."""
        return any(self.packages.glob(f"{distribution.replace('-', '_')}-*.dist-info"))

    def install(self, *requirements: str) -> None:
        """From the wheels alone, with what they depend on."""
        self._pip("install", "--no-index", "--find-links", self.wheels, *requirements)

    def uninstall(self, *distributions: str) -> None:
        self._pip("uninstall", *distributions)

    def check(self) -> None:
        """Fails unless everything that is installed finds what it requires."""
        self._pip("check")

    def on(self, computer: Computer) -> Computer:
        """The same computer with the program of this environment, and no other code in reach."""
        return replace(
            computer,
            installed=self.folder / "bin/vibescore",
            variables={**computer.variables, "PYTHONPATH": ""},
        )

    def _install_pinned(self) -> None:
        """What vibescore requires of others, as it is pinned: from the cache where it is there."""
        lock = (ROOT / "requirements.lock").read_text("utf-8")
        pins = self.folder / "pins.txt"
        pins.write_text("".join(DEV["pin"](lock, name) for name in sorted(set(required()))))
        exactly = ("install", "--no-deps", "--require-hashes", "--requirement", pins)
        try:
            self._pip("--offline", *exactly)
        except subprocess.CalledProcessError:
            self._pip(*exactly)

    def _pip(self, *arguments: str | Path) -> None:
        uv("pip", *arguments, "--python", self.python)


def required(distribution: str = "vibescore") -> Iterator[str]:
    """The distributions that one needs to run, without extras; some of them more than once."""
    for text in requires(distribution) or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)
            yield from required(requirement.name)


def uv(*arguments: str | Path) -> None:
    """What it says is shown when a test fails."""
    subprocess.run([UV, "--quiet", *arguments], check=True)

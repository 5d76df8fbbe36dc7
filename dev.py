#!/usr/bin/env python3
"""Work on vibescore from a fresh clone: python3 dev.py test

Needs Python 3.11 or newer, and a network the first time. Everything lands in .venv, pinned by
requirements.lock; what is up to date is left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
LOCK = ROOT / "requirements.lock"
EVIDENCE = ROOT / "docs" / "evidence.md"
SCHEMA = ROOT / "docs" / "report.schema.json"
STATIC = ROOT / "server" / "vibescore_server" / "static"
NPM = ("python", "dashboard/make.py")

DISTRIBUTIONS = (".", "plugins/codex", "plugins/every_code", "plugins/gemini", "server")
GROUPS = ("test", "lint", "release")

CHECKS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy", "vibescore", "bench", "tests", "dashboard", "dev.py", "hatch_build.py"),
    *(("mypy", folder) for folder in DISTRIBUTIONS[1:]),
    ("lint-imports", "--no-logo"),
    ("deptry", "vibescore"),
    *(("deptry", folder, "--config", f"{folder}/pyproject.toml") for folder in DISTRIBUTIONS[1:]),
    ("vulture",),
    ("python", "dashboard/copy_registry.py", "check"),
)
DASHBOARD_CHECKS = ((*NPM, "run", "--silent", "lint"), (*NPM, "run", "--silent", "types"))


def setup() -> None:
    """Make .venv with what requirements.lock pins and this checkout, and build the dashboard; what
    is done is left alone.
    """
    lock = LOCK.read_text()
    uv = pin(lock, "uv")
    projects = [(ROOT / folder / "pyproject.toml").read_text() for folder in DISTRIBUTIONS]
    hook = (ROOT / "hatch_build.py").read_text()
    once("environment", [str(ROOT), sys.version, uv], lambda: make_environment(uv))
    once("packages", [lock, hook, *projects], install_packages)
    build_dashboard()


def once(step: str, inputs: Sequence[str], act: Callable[[], None]) -> None:
    """Act, unless that was done in this .venv with the same inputs."""
    stamp = VENV / f"{step}.stamp"
    digest = hashlib.sha256("\0".join(inputs).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    stamp.unlink(missing_ok=True)
    act()
    stamp.write_text(digest)


def pin(lock: str, name: str) -> str:
    """The lock's entry of one package, with its hashes."""
    entry = re.search(rf"^{name}==.*\n(?: +--hash=.*\n)+", lock, re.MULTILINE)
    if entry is None:
        sys.exit(f"requirements.lock does not pin {name}: restore it, or write it again")
    return entry.group()


def make_environment(uv: str) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            "This Python cannot make virtual environments: the module ensurepip is missing.\n"
            "On Debian and Ubuntu: apt install python3-venv"
        )
    say(f"Making .venv (Python {platform.python_version()})")
    run(sys.executable, "-m", "venv", "--clear", VENV)
    say("Installing " + uv.partition(" ")[0])
    requirements = VENV / "uv.txt"
    requirements.write_text(uv)
    run("python", "-m", "pip", "install", "-qq", "--require-hashes", "-r", requirements)


def install_packages() -> None:
    say("Installing the packages that requirements.lock pins")
    install("--require-hashes", "--requirement", LOCK)
    say("Installing vibescore, its plugins and its server from this checkout")
    editables = (argument for folder in DISTRIBUTIONS for argument in ("--editable", ROOT / folder))
    install("--no-build-isolation", *editables, VIBESCORE_SKIP_DASHBOARD="1")


def install(*arguments: str | Path, **env: str) -> None:
    """Install exactly what is named: the lock is complete, so nothing is resolved."""
    into = ("--quiet", "--python", BIN / "python", "--no-deps")
    run("uv", "pip", "install", *into, *arguments, UV_COMPILE_BYTECODE="1", **env)


def build_dashboard() -> None:
    """Build it, unless nothing changed since; where that fails, say why, and go on without it."""
    if os.environ.get("VIBESCORE_SKIP_DASHBOARD") != "1":
        succeeds(NPM)


def test(arguments: Sequence[str]) -> None:
    """Run all tests with coverage, then lint. With arguments: only pytest, with these."""
    if arguments:
        run("python", "-m", "pytest", *arguments)
        return
    run("python", "-m", "pytest", "--numprocesses=auto", "--cov")
    if has_dashboard():
        run(*NPM, "run", "test")
    lint()


def lint() -> None:
    """Check style, types, import rules, dependencies and dead code."""
    checks = (*CHECKS, *(DASHBOARD_CHECKS if has_dashboard() else ()))
    failed = [" ".join(check) for check in checks if not passes(check)]
    if failed:
        sys.exit("Failed: " + ", ".join(failed))
    say("All checks passed")


def has_dashboard() -> bool:
    """Whether its tools are there; says so when they are not."""
    if not STATIC.is_dir():
        say("Skipped what concerns the dashboard: no dashboard was built")
    return STATIC.is_dir()


def passes(check: Sequence[str]) -> bool:
    say("$ " + " ".join(check))
    return succeeds(check)


def succeeds(command: Sequence[str]) -> bool:
    try:
        run(*command)
    except subprocess.CalledProcessError:
        return False
    return True


def demo() -> None:
    """Show the product in a scratch home, with this machine's logs or, without any, sample logs."""
    scratch = Path(tempfile.mkdtemp(prefix="vibescore-demo-"))
    for name in [name for name in os.environ if name.startswith("VIBESCORE_")]:
        del os.environ[name]  # of the real home
    env = {"VIBESCORE_HOME": str(scratch / "home")}
    say(f"Collecting into {scratch}; the logs are only read, and nothing leaves this computer")
    run("vibescore", "sync", "--offline", **env)
    if not output("vibescore", "export", **env):
        env |= write_samples(scratch / "sample-logs")
        run("vibescore", "sync", "--offline", **env)
    say("")
    run("vibescore", "report", **env)
    say("")
    serve_demo(scratch, env)


def serve_demo(scratch: Path, env: dict[str, str]) -> None:
    """A server of its own, to which the scratch home is linked: until Ctrl-C, or without a terminal
    just long enough to see it work.
    """
    up = ("up", "--yes", "--no-notify", f"--port={free_port()}", f"--data-dir={scratch / 'server'}")
    once = () if sys.stdin.isatty() and sys.stdout.isatty() else ("--once",)
    signal.signal(signal.SIGINT, lambda *_: None)  # it ends by itself, and says so
    run("vibescore", *up, *once, **env)
    settings = " ".join(f"{name}={value}" for name, value in env.items())
    program = BIN / "vibescore"
    say(f"\nLook at it again: {settings} {program} {' '.join(up)}")
    say(f"Look around:      {settings} {program} report daily")
    say(f"Delete it:        rm -r {scratch}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def write_samples(folder: Path) -> dict[str, str]:
    """Write made-up logs; returns the settings that lead vibescore to them."""
    say("No usage on this machine: from here on these are SAMPLE LOGS, and the figures are made up")
    run("python", "bench/corpus.py", "demo", folder)
    homes = {"CODEX_HOME": ".codex", "CODE_HOME": ".code", "GEMINI_HOME": ".gemini"}
    return {variable: str(folder / name) for variable, name in homes.items()}


def dashboard(*, built: bool, mock: bool, server: str) -> None:
    """Show the dashboard while you change it, at http://localhost:5173."""
    env = {"VIBESCORE_DASHBOARD_SERVER": server, **({"VITE_VIBESCORE_MOCK": "1"} if mock else {})}
    signal.signal(signal.SIGINT, lambda *_: None)  # Vite ends by itself
    if built:
        run(*NPM, "run", "build", **env)
    run(*NPM, "run", "preview" if built else "dev", **env)


def bench(arguments: Sequence[str]) -> None:
    """Measure; arguments go to bench/run.py."""
    run("python", "bench/run.py", *arguments)


def copy(arguments: Sequence[str]) -> None:
    """Check, pull or push the texts of the dashboard (docs/dashboard.md)."""
    run("python", "dashboard/copy_registry.py", *arguments)


def evidence(*, check: bool) -> None:
    """Write docs/evidence.md: requirement, code, tests."""
    before = EVIDENCE.read_text("utf-8") if EVIDENCE.exists() else ""
    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch, "evidence.md")
        plugin = ("-p", "evidence", f"--evidence={written}")
        output("python", "-m", "pytest", "--collect-only", "-qqq", "--no-summary", *plugin)
        after = written.read_text("utf-8")
    if check and after != before:
        sys.exit("docs/evidence.md is out of date: python3 dev.py evidence")
    if not check:
        EVIDENCE.write_text(after, "utf-8")


def schema() -> None:
    """Write docs/report.schema.json: what `vibescore report --json` answers."""
    program = "import json, vibescore.answers as its; print(json.dumps(its.schema(), indent=2))"
    SCHEMA.write_bytes(output("python", "-c", program))


def lock() -> None:
    """Pin the newest allowed version of everything in requirements.lock."""
    groups = (argument for group in GROUPS for argument in ("--group", group))
    form = ("--no-emit-workspace", "--no-annotate", "--no-header", "--output-file", LOCK)
    unpinned = ROOT / "uv.lock"
    unpinned.unlink(missing_ok=True)
    run("uv", "export", "--quiet", "--all-packages", *groups, *form)
    unpinned.unlink()


def wheels(folder: Path, **env: str) -> None:
    """Build the sdists and wheels of all distributions, as released, and check them."""
    folder = folder.absolute()
    into = ("--python", BIN / "python", "--no-build-isolation", "--out-dir", folder)
    run("uv", "build", "--quiet", "--all-packages", *into, VIBESCORE_RELEASE="1", **env)
    run("twine", "check", "--strict", *sorted(folder.glob("vibescore*")))


def run(program: str, *arguments: str | Path, **env: str) -> None:
    """Run a program of .venv (or any, by its full path) in the checkout."""
    subprocess.run([BIN / program, *arguments], cwd=ROOT, env=environment(env), check=True)


def output(program: str, *arguments: str | Path, **env: str) -> bytes:
    """What a program of .venv prints."""
    return subprocess.check_output([BIN / program, *arguments], cwd=ROOT, env=environment(env))


def environment(changes: dict[str, str]) -> dict[str, str]:
    """Ours with .venv first on the path, and the changes."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, **changes}


def say(line: str) -> None:
    print(line, flush=True)


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)

    def add(act: Callable[..., None]) -> argparse.ArgumentParser:
        command = commands.add_parser(act.__name__, help=act.__doc__, description=act.__doc__)
        command.set_defaults(act=act)
        return command

    add(setup)
    add(test)
    add(demo)
    shows = add(dashboard)
    shows.add_argument("--server", default="http://127.0.0.1:8390", help="where the data come from")
    shows.add_argument("--mock", action="store_true", help="made-up data, and no server")
    shows.add_argument("--built", action="store_true", help="as it is served in the end")
    add(lint)
    add(bench)
    add(copy).add_argument("arguments", nargs=argparse.REMAINDER, help="check, pull or push")
    add(evidence).add_argument("--check", action="store_true", help="only say if it is up to date")
    add(schema)
    add(lock)
    add(wheels).add_argument("folder", nargs="?", type=Path, default="dist")
    return parser


def main() -> None:
    if sys.version_info < (3, 11):
        sys.exit(f"vibescore needs Python 3.11 or newer; this is {platform.python_version()}")
    parser = command_line()
    options, rest = parser.parse_known_args()
    act, arguments = options.act, vars(options)
    del arguments["act"]
    if act in (test, bench):
        arguments["arguments"] = rest
    elif rest:
        parser.error("unrecognized arguments: " + " ".join(rest))
    try:
        setup()
        if act is setup:
            say(f"Ready: {BIN / 'vibescore'}")
        else:
            act(**arguments)
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)


if __name__ == "__main__":
    main()

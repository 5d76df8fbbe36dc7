"""The texts of the dashboard; their source of truth is the main branch of origin (TLS-01).

Told in docs/dashboard.md. Needs Python and, to pull and push, git.
"""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from copy_check import REGISTRY, judged

ROOT = Path(__file__).resolve().parents[1]
MAIN = "main"
TRUTH = f"origin/{MAIN}:{REGISTRY}"
THEIRS = f"refs/remotes/origin/{MAIN}"
AGAIN = "python3 dev.py copy"


class Stopped(Exception):
    """What stands in the way, and the way out."""


def check() -> None:
    """Fail on texts that are missing, repeated, unknown or computed; warn of those nobody uses."""
    errors, warnings = judged(ROOT)
    for warning in warnings:
        say(f"{warning} (warning)")
    for error in errors:
        say(str(error))
    if errors:
        raise Stopped(f"The texts of the dashboard need mending: {len(errors)} of the lines above")


def pull(*, confirm: bool) -> None:
    """Show what the source of truth has else; --confirm takes it, after a backup."""
    theirs, ours = truth(), registry()
    if theirs == ours:
        say("Nothing to pull: both are the same")
        return
    show(ours, theirs, REGISTRY, TRUTH)
    if not confirm:
        say(f"\nA dry run: nothing was written. To take it: {AGAIN} pull --confirm")
        return
    if ours:
        say(f"\nBackup: {back_up(ours)}")
    replace(theirs)
    say(f"Written: {REGISTRY}")


def push(*, confirm: bool) -> None:
    """Check, and show what the source of truth would get; --confirm commits and pushes it."""
    theirs, ours = truth(), registry()
    check()
    if theirs == ours:
        say("Nothing to push: both are the same")
        return
    show(theirs, ours, TRUTH, REGISTRY)
    if not confirm:
        say(f"\nA dry run: nothing was pushed. To push it: {AGAIN} push --confirm")
        return
    dirty = changed_files()
    stop_unless_alone(dirty)
    if dirty:
        git("commit", "--quiet", "--message=Change texts of the dashboard", "--", REGISTRY)
    commit = git("rev-parse", "--short", "HEAD").decode().strip()
    say(f"\nCommitted: {commit}")
    publish(commit)
    say(f"Pushed: origin/{MAIN}")


def truth() -> bytes:
    """The registry on the main branch of origin, as it is now; says where that is."""
    say(f"Source of truth: {TRUTH}")
    if not succeeds("rev-parse", "--git-dir"):
        raise Stopped(f"{ROOT} is no git checkout: clone the project to pull and push")
    if not succeeds("remote", "get-url", "origin"):
        raise Stopped("This checkout has no remote named origin: git remote add origin ADDRESS")
    git("fetch", "--quiet", "origin", f"+refs/heads/{MAIN}:{THEIRS}")
    if not succeeds("cat-file", "-e", f"{THEIRS}:{REGISTRY}"):
        raise Stopped(f"origin/{MAIN} has no {REGISTRY}")
    return git("cat-file", "blob", f"{THEIRS}:{REGISTRY}")


def registry() -> bytes:
    """The registry of this checkout; empty when there is none."""
    path = ROOT / REGISTRY
    return path.read_bytes() if path.exists() else b""


def show(before: bytes, after: bytes, before_is: str, after_is: str) -> None:
    old, new = (content.decode("utf-8", "replace").splitlines() for content in (before, after))
    diff = difflib.unified_diff(old, new, before_is, after_is, lineterm="")
    say("\n".join(diff) or "Only the ends of lines differ")


def back_up(content: bytes) -> Path:
    """Keep what is about to be replaced, inside of .git: out of the way of every commit."""
    folder = ROOT / git("rev-parse", "--git-path", "copy-backups").decode().strip()
    folder.mkdir(exist_ok=True)
    path = folder / f"copy-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.csv"
    path.write_bytes(content)
    return path


def replace(content: bytes) -> None:
    """Put another registry in the place of ours, as a whole or not at all."""
    path = ROOT / REGISTRY
    written = path.with_suffix(".csv.new")
    try:
        written.write_bytes(content)
        written.replace(path)
    finally:
        written.unlink(missing_ok=True)


def stop_unless_alone(dirty: set[str]) -> None:
    """Stop if the registry would not be pushed by itself, on top of what is there."""
    branch = git("branch", "--show-current").decode().strip()
    if branch != MAIN:
        on = f"on {branch}" if branch else "on no branch"
        raise Stopped(f"You are {on}, and texts go to {MAIN}: git switch {MAIN}")
    if others := dirty - {REGISTRY}:
        raise Stopped(f"Commit or stash what else you changed first: {', '.join(sorted(others))}")
    if not succeeds("merge-base", "--is-ancestor", THEIRS, "HEAD"):
        raise Stopped(f"origin/{MAIN} has commits that you lack: git pull --rebase --autostash")
    if others := unpushed_files() - {REGISTRY}:
        raise Stopped(f"Push your other commits first; they change {', '.join(sorted(others))}")


def changed_files() -> set[str]:
    """What differs from the last commit, or is new; paths from the root of the checkout."""
    entries = git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    return {entry[3:] for entry in entries.decode().split("\0") if entry}


def unpushed_files() -> set[str]:
    """What commits change that only this checkout has."""
    names = git("diff-tree", "-r", "-z", "--name-only", THEIRS, "HEAD")
    return set(names.decode().split("\0")) - {""}


def publish(commit: str) -> None:
    try:
        git("push", "--quiet", "origin", f"HEAD:refs/heads/{MAIN}")
    except Stopped as failure:
        raise Stopped(
            f"{failure}\n{commit} is not pushed. Once that is mended: {AGAIN} push --confirm"
        ) from failure


def git(*arguments: str) -> bytes:
    """What git prints; what it complains of is the error."""
    done = run_git(*arguments)
    if done.returncode:
        raise Stopped(f"git {arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout


def succeeds(*arguments: str) -> bool:
    return run_git(*arguments).returncode == 0


def run_git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        raise Stopped("git is not installed, or not on the PATH") from None


def say(line: str) -> None:
    print(line, flush=True)


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("dev.py copy", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)

    def add(act: Callable[..., None]) -> argparse.ArgumentParser:
        command = commands.add_parser(act.__name__, help=act.__doc__, description=act.__doc__)
        command.set_defaults(act=act)
        return command

    add(check)
    for act in (pull, push):
        how = add(act).add_mutually_exclusive_group()
        how.add_argument("--dry-run", action="store_true", help="only show it (so it is anyway)")
        how.add_argument("--confirm", action="store_true", help="do it")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    options = vars(command_line().parse_args(arguments))
    act = options.pop("act")
    options.pop("dry_run", None)
    try:
        act(**options)
    except (Stopped, OSError) as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()

"""What the command line did in a process of its own: files it opened, modules it imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from support import Computer, Ran


class Seen(NamedTuple):
    """A run of the program, the paths it opened, and the modules it imported."""

    ran: Ran
    opened: set[str]
    imported: set[str]


def watch(computer: Computer, *arguments: str, **variables: str) -> Seen:
    """Runs `vibescore` with these arguments on that computer."""
    from support import Ran

    report = computer.home / "witnessed.json"
    done = subprocess.run(
        [sys.executable, __file__, report, *arguments],
        env=computer.environment | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    notes = json.loads(report.read_bytes())
    ran = Ran(done.returncode, done.stdout, done.stderr)
    return Seen(ran, set(notes["opened"]), set(notes["imported"]))


def run(report: str) -> None:
    """The program, watched by an audit hook; sees nothing of what this module itself needs."""
    opened: list[str] = []

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes):
            opened.append(os.fsdecode(arguments[0]))

    sys.path[0] = sysconfig.get_path("scripts")  # as for the program itself
    before = set(sys.modules)
    sys.addaudithook(note)
    try:
        from vibescore.cli import main

        main()
    finally:
        imported = sorted(sys.modules.keys() - before)
        with open(report, "w") as file:
            json.dump({"opened": opened, "imported": imported}, file)


if __name__ == "__main__":
    run(sys.argv.pop(1))

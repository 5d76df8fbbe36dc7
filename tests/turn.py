"""The end of a turn in a tool, as a program: it logs what was used, and calls what its settings
name.

    python turn.py codex|gemini SETTINGS LOG WRITTEN
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path


def codex(settings: Path, log: Path, written: str) -> None:
    """Codex and Every Code: appends; one JSON argument, no streams, nobody waits."""
    with log.open("a", encoding="utf-8") as rollout:
        rollout.write(written)
    payload = {
        "type": "agent-turn-complete",
        "thread-id": "019e0001-0000-7000-8000-000000000001",
        "turn-id": "3",
        "cwd": "/home/ada/project",
        "input-messages": ['What\'s "next"?'],
        "last-assistant-message": "Done.",
    }
    subprocess.Popen(
        [*tomllib.loads(settings.read_text("utf-8"))["notify"], json.dumps(payload)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=False,
    )


def gemini(settings: Path, log: Path, written: str) -> None:
    """Gemini CLI: writes anew; a shell gets JSON, and is waited for to say JSON or nothing."""
    log.write_text(written, encoding="utf-8")
    payload = {
        "session_id": "s-0001",
        "transcript_path": str(log),
        "cwd": "/home/ada/project",
        "hook_event_name": "AfterAgent",
        "timestamp": "2026-08-10T09:14:01.102Z",
        "prompt": 'What\'s "next"?',
        "prompt_response": "Done.",
    }
    for definition in json.loads(settings.read_text("utf-8"))["hooks"]["AfterAgent"]:
        for hook in definition["hooks"]:
            done = subprocess.run(
                ["sh", "-c", hook["command"]],
                input=json.dumps(payload).encode(),
                capture_output=True,
                timeout=hook.get("timeout", 60_000) / 1000,
                check=True,
                close_fds=False,
            )
            assert (done.stdout, done.stderr) == (b"", b"")


TOOLS = {"codex": codex, "gemini": gemini}

if __name__ == "__main__":
    tool, settings, log, written = sys.argv[1:]
    TOOLS[tool](Path(settings), Path(log), written)

"""Large reading is shared among helper processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rollouts import Truth
from support import Computer, truth_row

ROOT = Path(__file__).resolve().parents[1]
CORPUS = [sys.executable, str(ROOT / "bench/corpus.py"), "codex-dense"]

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2,
    reason="needs /proc to watch helper processes, and two processors to have any",
)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 100 MB of logs."""
    home = tmp_path_factory.mktemp("large")
    subprocess.run([*CORPUS, str(home), "--scale", "0.1"], check=True, stdout=subprocess.DEVNULL)
    return home


def on(home: Path, own: Path) -> Computer:
    return Computer(own, {"CODEX_HOME": str(home / ".codex")})


def truth(home: Path) -> Truth:
    lines = (home / "truth.jsonl").read_text("utf-8").splitlines()
    return dict(truth_row(json.loads(line)) for line in lines)


@pytest.mark.requirement("COL-10")
def test_shared_reading_gives_the_truth(large: Path, tmp_path: Path) -> None:
    computer = on(large, tmp_path)
    with watched(computer) as program:
        assert helpers_of(program.pid)
        assert program.wait() == 0
    assert computer.export() == truth(large)


@pytest.mark.requirement("COL-08", "NTF-07")
def test_helpers_end_with_a_killed_sync_and_block_nothing(large: Path, tmp_path: Path) -> None:
    computer = on(large, tmp_path)
    with watched(computer) as program:
        helpers = helpers_of(program.pid)
        program.send_signal(signal.SIGKILL)
        program.wait()
        for helper in helpers:
            wait_for_end(helper)
    assert computer.program("sync", "--offline").code == 0
    assert computer.export() == truth(large)


@pytest.mark.requirement("COL-08", "COL-09")
def test_a_helper_that_dies_is_told_and_the_next_sync_reads_on(large: Path, tmp_path: Path) -> None:
    computer = on(large, tmp_path)
    with watched(computer) as program:
        os.kill(helpers_of(program.pid)[0], signal.SIGKILL)
        assert program.wait() == 0
    (state,) = computer.query("SELECT value FROM meta WHERE key = 'last sync'")
    assert "the next sync reads on" in state[0]
    assert computer.program("sync", "--offline").code == 0
    assert computer.export() == truth(large)


@contextlib.contextmanager
def watched(computer: Computer) -> Iterator[subprocess.Popen[bytes]]:
    """A sync that has just started its helpers."""
    with computer.start("sync", "--offline") as program:
        while program.poll() is None and len(helpers_of(program.pid)) < 2:
            os.sched_yield()
        yield program


def helpers_of(process: int) -> list[int]:
    """The child processes of a process."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in children.split()]


def wait_for_end(process: int) -> None:
    """Returns when the process is gone; the test's time limit is that of the whole run."""
    with contextlib.suppress(ProcessLookupError):
        while not is_dead(process):
            os.kill(process, 0)
            os.sched_yield()


def is_dead(process: int) -> bool:
    """Whether a process has ended, even if nobody has asked for its exit code yet."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"

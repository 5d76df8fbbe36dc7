"""A disk that fills up or cannot be written: a clear error, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rollouts import Rollout, truth_of
from support import PROGRAM, Computer, Ran

BALLAST = "ballast"


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system of its own, in memory."""

    place: Path

    def mount(self, *options: str) -> None:
        """With these options, anew or from now on."""
        command: list[str | Path] = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            ",".join(options),
            "vibescore-test",
            self.place,
        ]
        subprocess.run(command, check=True, capture_output=True)

    def fill(self, *, free: int) -> None:
        """Leaves that many bytes, less than a page more or less."""
        stat = os.statvfs(self.place)
        with (self.place / BALLAST).open("wb") as file:
            file.write(bytes(max(0, stat.f_bavail * stat.f_bsize - free)))

    def clear(self) -> None:
        (self.place / BALLAST).unlink()


@pytest.fixture
def disk(computer: Computer) -> Iterator[Disk]:
    """The disk on which vibescore keeps its files; needs the right to mount one."""
    disk = Disk(computer.own)
    computer.own.mkdir(mode=0o700)
    try:
        disk.mount("size=8m,mode=0700")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a disk of its own takes the right to mount one")
    yield disk
    subprocess.run(["umount", disk.place], check=True)


@pytest.fixture
def rollouts(computer: Computer) -> list[Rollout]:
    """Logs of some size on the computer."""
    rollouts = [
        Rollout(day, f"2026-08-{day:02}T09:00:00").meta().model("gpt-5.1").turns(20)
        for day in range(1, 25)
    ]
    for rollout in rollouts:
        rollout.save(computer.home)
    return rollouts


def half_made(computer: Computer) -> list[str]:
    """Files named after the process that could not finish them."""
    names = (path.name for path in computer.own.iterdir())
    return [name for name in names if name.rpartition(".")[2].isdigit()]


def assert_full(ran: Ran, computer: Computer) -> None:
    """A failure that names the store and the way out, and leaves nothing behind."""
    assert ran.code == 1, ran
    assert ran.output == ""
    assert str(computer.database) in ran.errors
    assert "free some space and run 'vibescore sync' again" in ran.errors
    assert not half_made(computer)


@pytest.mark.requirement("QUE-01", "COL-08", "CLI-05")
@pytest.mark.parametrize("kibibytes", [4, 12, 20, 28, 36, 52, 68, 100, 132])
def test_on_a_disk_too_small_nothing_is_lost(
    kibibytes: int, computer: Computer, disk: Disk, rollouts: list[Rollout]
) -> None:
    disk.mount("remount", f"size={kibibytes}k")
    assert_full(computer.program("sync", "--offline"), computer)
    assert_full(computer.program("sync", "--offline"), computer)
    disk.mount("remount", "size=8m")
    computer.sync()
    assert computer.export() == truth_of(*rollouts)
    assert "0 inserted" in computer.sync().output


@pytest.mark.requirement("QUE-01", "COL-08", "CLI-05")
@pytest.mark.parametrize("kibibytes", [0, 4, 16, 28, 32, 36, 48, 64, 96])
def test_when_a_disk_has_filled_up_what_was_collected_stays(
    kibibytes: int, computer: Computer, disk: Disk, rollouts: list[Rollout]
) -> None:
    computer.sync()
    more = [
        Rollout(100 + day, f"2026-07-{day:02}T09:00:00").meta().turns(40) for day in range(1, 25)
    ]
    for rollout in more:
        rollout.save(computer.home)
    disk.fill(free=1024 * kibibytes)
    assert_full(computer.program("sync", "--offline"), computer)
    disk.clear()
    assert computer.export() == truth_of(*rollouts)
    computer.sync()
    assert computer.export() == truth_of(*rollouts, *more)
    assert "0 inserted" in computer.sync().output


@pytest.mark.requirement("QUE-01", "CLI-05")
def test_a_disk_without_room_for_one_more_file_is_told(computer: Computer, disk: Disk) -> None:
    disk.mount("remount", "nr_inodes=1")
    ran = computer.program("sync", "--offline")
    assert ran.code == 1
    assert str(computer.own) in ran.errors
    assert "mistake" not in ran.errors
    disk.mount("remount", "nr_inodes=100")
    computer.sync()


@pytest.mark.requirement("QUE-01", "CLI-05")
@pytest.mark.parametrize("blocks", [0, 1, 16, 64, 128])
def test_when_files_may_not_grow_nothing_is_lost(
    blocks: int, computer: Computer, rollouts: list[Rollout]
) -> None:
    limited = f'ulimit -f {blocks} && exec "$@"'
    done = subprocess.run(
        ["bash", "-c", limited, "bash", PROGRAM, "sync", "--offline"],
        env=computer.environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1, done
    assert str(computer.database) in done.stderr
    assert "mistake" not in done.stderr
    assert not half_made(computer)
    computer.sync()
    assert computer.export() == truth_of(*rollouts)


@pytest.mark.requirement("CLI-05")
@pytest.mark.parametrize("command", ["sync", "status", "report", "export"])
def test_a_read_only_home_is_told_and_stays_as_it_is(
    command: str, computer: Computer, disk: Disk, rollouts: list[Rollout]
) -> None:
    computer.sync()
    rollouts[0].turns(1).save(computer.home)
    before = computer.database.read_bytes()
    disk.mount("remount", "ro")
    ran = computer.program(command)
    if ran.code or command == "sync":
        assert ran.code == 1, ran
        assert str(computer.own) in ran.errors
        assert "mistake" not in ran.errors
    disk.mount("remount", "rw")
    assert computer.database.read_bytes() == before


@pytest.mark.requirement("CLI-05")
def test_a_read_only_home_without_a_store_is_told(computer: Computer, disk: Disk) -> None:
    disk.mount("remount", "ro")
    ran = computer.program("sync", "--offline")
    assert ran.code == 1, ran
    assert str(computer.own) in ran.errors
    assert "mistake" not in ran.errors


@pytest.mark.requirement("CLI-05")
def test_a_home_that_cannot_be_made_is_told_with_the_way_out(computer: Computer) -> None:
    (computer.home / "file").write_text("in the way")
    ran = computer.program("sync", VIBESCORE_HOME=str(computer.home / "file" / "home"))
    assert ran.code == 1, ran
    assert str(computer.home / "file" / "home") in ran.errors
    assert "VIBESCORE_HOME names another place" in ran.errors

"""Two syncs at once: one waits, nothing is lost or doubled, and the dead hold no lock."""

from __future__ import annotations

import re
import subprocess
from contextlib import ExitStack

import pytest
from rollouts import Rollout, append, truth_of
from sites import Site, halted
from support import PROGRAM, Computer

from vibescore.cli.app import App
from vibescore.cli.sync import Sync
from vibescore.errors import BusyError
from vibescore.lock import exclusive
from vibescore.throttle import Effort

WAITING = "Another sync is running; waiting for it to end.\n"
OURS = {"VIBESCORE_PLUGINS": "codex,gemini"}


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


def started(computer: Computer, *options: str) -> subprocess.Popen[str]:
    """A sync that passes the gate by."""
    return subprocess.Popen(
        [PROGRAM, "sync", "--offline", *options],
        env=computer.environment | OURS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def session(number: int) -> Rollout:
    return Rollout(number).meta().model("gpt-5.1").turns(3)


@pytest.mark.requirement("COL-08", "QUE-01")
def test_a_second_sync_says_that_it_waits_and_then_reads_what_is_new(
    computer: Computer, site: Site
) -> None:
    rollout = session(1)
    path = rollout.save(computer.home)
    with ExitStack() as stack:
        with halted(computer, site) as first:
            append(path, rollout.turns(2).unsaved())
            second = stack.enter_context(started(computer))
            assert second.stderr is not None
            assert second.stderr.readline() == WAITING
            assert second.poll() is None
        assert first.end() == (0, "")
        assert second.communicate()[1] == ""
        assert second.returncode == 0
    assert computer.export() == truth_of(rollout)


@pytest.mark.requirement("CLI-10")
def test_a_quiet_sync_waits_without_a_word(computer: Computer, site: Site) -> None:
    rollout = session(1)
    rollout.save(computer.home)
    with ExitStack() as stack:
        with halted(computer, site):
            second = stack.enter_context(started(computer, "--quiet"))
        assert second.communicate() == ("", "")
    assert computer.export() == truth_of(rollout)


@pytest.mark.requirement("COL-08")
def test_who_does_not_want_to_wait_is_told_that_another_sync_is_running(
    computer: Computer, site: Site
) -> None:
    with (
        halted(computer, site),
        pytest.raises(BusyError, match="another sync is running"),
        exclusive(computer.own / "sync.lock", wait=0),
    ):
        pytest.fail("two hold the lock")


@pytest.mark.requirement("CLI-10", "NTF-04", "NTF-07")
def test_an_automatic_sync_that_waited_long_enough_leaves_it_to_the_other_without_a_word(
    computer: Computer, site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    rollout = session(1)
    rollout.save(computer.home)
    app = App(computer.own, computer.home, computer.environment, debug=False)
    with halted(computer, site):
        Sync(app, None, Effort.AUTO, is_quiet=True, patience=0).run(rebuild=False)
        assert capfd.readouterr() == ("", "")
        manual = Sync(app, None, Effort.MANUAL, is_quiet=True, patience=0)
        with pytest.raises(BusyError, match="another sync is running"):
            manual.run(rebuild=False)
    assert computer.export() == truth_of(rollout)


@pytest.mark.requirement("COL-08", "QUE-01")
def test_a_killed_sync_blocks_nobody(computer: Computer, site: Site) -> None:
    rollout = session(1)
    rollout.save(computer.home)
    with halted(computer, site) as first:
        first.process.kill()
        first.process.wait()
        ran = computer.program("sync", "--offline", **OURS)
    assert (ran.code, ran.errors) == (0, "")
    assert computer.export() == truth_of(rollout)


@pytest.mark.requirement("COL-08")
def test_of_many_syncs_at_once_one_counts(computer: Computer) -> None:
    rollouts = [session(number) for number in range(1, 20)]
    for rollout in rollouts:
        rollout.save(computer.home)
    with ExitStack() as stack:
        crowd = [stack.enter_context(started(computer)) for _ in range(6)]
        said = [member.communicate() for member in crowd]
    assert [member.returncode for member in crowd] == [0] * 6
    assert {errors for _, errors in said} <= {"", WAITING}
    counts = [re.search(r"([\d,]+) usage events", output) for output, _ in said]
    assert [count[1] for count in counts if count] == ["57"]
    assert computer.export() == truth_of(*rollouts)


@pytest.mark.requirement("QUE-01")
def test_who_looks_while_a_sync_is_at_work_sees_what_was_before(
    computer: Computer, site: Site
) -> None:
    rollout = session(1)
    path = rollout.save(computer.home)
    computer.sync()
    before = truth_of(rollout)
    append(path, rollout.turns(3).unsaved())
    with halted(computer, site):
        assert computer.export() == before
        for command in ("status", "report"):
            assert computer.run(command).code == 0
    assert computer.export() == truth_of(rollout)

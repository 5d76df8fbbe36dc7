"""`vibescore sync` on a computer that is linked, through the command line and real processes."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from backend import DEVICE, TOKEN, Backend, hangs_up, says
from linked import Desk, desk_at
from rollouts import Rollout, append, truth_of
from serving import serving
from support import Computer, Ran
from test_command_line import HEAVY, LIGHT
from witness import watch

from vibescore.errors import Rejected, Unauthorized
from vibescore.link import FILE, Link, save_link
from vibescore.retry import LOCK, TICKET, cancel

NOTHING_NEW = "Nothing new in 1 log files: 0 inserted, nothing to upload.\n"


@pytest.fixture
def rollout() -> Rollout:
    return Rollout(1).meta().model("gpt-5.1").turns(3)


@pytest.fixture
def desk(computer: Computer, rollout: Rollout) -> Iterator[Desk]:
    """A linked computer with a log of Codex; whoever waits for a retry ends with the test."""
    rollout.save(computer.home)
    with desk_at(computer) as desk:
        desk.save_link()
        yield desk
        cancel(computer.own)


def log_of(desk: Desk) -> Path:
    (path,) = desk.computer.home.rglob("rollout-*.jsonl")
    return path


def sync(desk: Desk, *options: str, **variables: str) -> Ran:
    return desk.computer.program("sync", *options, **variables)


def diagnostics(desk: Desk) -> dict[str, Any]:
    ran = desk.computer.program("status", "--diagnostics")
    assert (ran.code, ran.errors) == (0, "")
    assert str(desk.computer.home) not in ran.output
    assert TOKEN not in ran.output
    shown: dict[str, Any] = json.loads(ran.output)
    return shown


def seconds_until(moment: str) -> float:
    return (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()


def hasten(desk: Desk, **pace: float) -> None:
    """Time has passed: what held uploads back does so no longer."""
    ((kept,),) = desk.computer.query("SELECT value FROM meta WHERE key = 'pace'")
    key, _, _, _, failures, due = json.loads(kept)
    held = [pace.get(name, 0) for name in ("throttled_until", "backoff_until", "held_until")]
    text = json.dumps([key, *held, failures, pace.get("heartbeat_due", due)])
    desk.computer.query("UPDATE meta SET value = ? WHERE key = 'pace'", text)


@pytest.mark.requirement("QUE-03", "COL-08")
def test_a_sync_uploads_at_once_and_says_so(desk: Desk, rollout: Rollout) -> None:
    assert sync(desk).output == (
        "Read 1 of 1 log files: 3 usage events, 1 half-hour rows changed.\n"
        "Uploaded 1 half-hour rows: 1 inserted, 0 unchanged.\n"
    )
    assert sync(desk) == Ran(0, NOTHING_NEW, "")
    for _ in range(2):
        append(log_of(desk), rollout.turns(1).unsaved())
        assert sync(desk, "--quiet") == Ran(0, "", "")
    assert desk.backend.rows() == truth_of(rollout) == desk.computer.export()
    assert desk.backend.slugs() == ["device-rows", *["ingest"] * 3]


@pytest.mark.requirement("COL-08")
def test_what_was_sent_already_is_unchanged_there(desk: Desk) -> None:
    sync(desk)
    desk.computer.query("UPDATE published SET acked = 0")
    assert sync(desk).output == (
        "Nothing new in 1 log files.\nUploaded 1 half-hour rows: 0 inserted, 1 unchanged.\n"
    )


@pytest.mark.requirement("QUE-03", "QUE-10")
def test_offline_nobody_is_called(desk: Desk) -> None:
    for options in (("--offline",), ("--offline", "--rebuild"), ("--offline", "--auto")):
        assert sync(desk, *options).code == 0
    assert desk.backend.requests == []
    assert len(desk.computer.pending()) == 1


@pytest.mark.requirement("QUE-03", "CLI-10")
def test_an_automatic_sync_collects_always_uploads_at_times_and_is_silent(
    desk: Desk, rollout: Rollout
) -> None:
    for _ in range(3):
        append(log_of(desk), rollout.turns(2).unsaved())
        assert sync(desk, "--auto") == Ran(0, "", "")
        assert desk.computer.export() == truth_of(rollout)
    assert desk.backend.slugs() == ["device-rows", "ingest"]
    assert len(desk.computer.pending()) == 1
    shown = diagnostics(desk)
    assert 1790 < seconds_until(shown["next_upload"]) < 1861
    assert shown["throttle"]["throttled_until"] == shown["next_upload"]


@pytest.mark.requirement("QUE-05", "CLI-10")
@pytest.mark.parametrize("trouble", [503, 401, 400])
def test_when_an_automatic_upload_fails_only_status_tells(trouble: int, desk: Desk) -> None:
    desk.backend.does(says(trouble, retry_after="7200"))
    assert sync(desk, "--auto") == Ran(0, "", "")
    shown = diagnostics(desk)
    assert shown["upload_problem"]["status"] == trouble
    assert shown["upload_problem"]["code"] == f"CODE_{trouble}"
    assert shown["throttle"]["failures"] == 1
    assert desk.backend.url in desk.computer.program("status").output.partition("Problem")[2]


@pytest.mark.requirement("QUE-03", "QUE-08", "CLI-05", "CLI-10")
def test_without_a_usable_link_a_sync_collects_and_only_an_automatic_one_keeps_silent(
    desk: Desk, rollout: Rollout
) -> None:
    (desk.computer.own / FILE).write_text("{")
    assert sync(desk, "--auto") == Ran(0, "", "")
    assert desk.computer.export() == truth_of(rollout)
    append(log_of(desk), rollout.turns(2).unsaved())
    ran = sync(desk)
    assert ran.code == 1
    assert ran.errors == (
        f"vibescore: {desk.computer.own / FILE} cannot be used: 'vibescore init' links this "
        "computer again\n"
    )
    assert desk.computer.export() == truth_of(rollout)
    assert sync(desk, "--offline") == Ran(0, NOTHING_NEW, "")
    assert desk.backend.requests == []


@pytest.mark.requirement("QUE-05", "CLI-05")
def test_what_the_server_asks_for_holds_a_manual_sync_too_which_names_the_time(desk: Desk) -> None:
    desk.backend.does(says(503, retry_after="7200"))
    first = sync(desk)
    assert first.code == 1
    assert first.errors.startswith(f"vibescore: {desk.backend.url} is busy or out of order")
    second = sync(desk)
    assert (second.code, second.errors.count("\n")) == (1, 1)
    (moment,) = re.findall(r"asked for no upload before (\S+Z);", second.errors)
    assert 7100 < seconds_until(moment) <= 7200
    assert diagnostics(desk)["throttle"]["held_until"] == moment
    assert desk.backend.slugs() == ["device-rows"]


@pytest.mark.requirement("QUE-05")
def test_a_manual_sync_waits_for_nothing_else(desk: Desk, rollout: Rollout) -> None:
    desk.backend.does(says(500))
    assert sync(desk, "--auto").code == 0
    assert diagnostics(desk)["throttle"]["failures"] == 1
    assert sync(desk).code == 0
    assert desk.backend.rows() == truth_of(rollout)
    assert diagnostics(desk)["throttle"]["failures"] == 0


@pytest.mark.requirement("CLI-05")
def test_in_debug_mode_a_failure_comes_with_status_code_and_trace(desk: Desk) -> None:
    def failing(*options: str, **variables: str) -> list[str]:
        desk.backend.does(says(403))
        ran = desk.computer.program(*options, "sync", **variables)
        assert ran.code == 1
        assert TOKEN not in ran.errors
        return ran.errors.splitlines()

    (plain,) = failing()
    for lines in (failing("--debug"), failing(VIBESCORE_DEBUG="1")):
        assert lines[0] == "Traceback (most recent call last):"
        assert lines[-3:] == ["Status: 403", "Code: CODE_403", plain]
    desk.backend.does(says(403))
    with pytest.raises(Rejected) as told:
        desk.computer.run("sync")
    assert (told.value.status, told.value.code) == (403, "CODE_403")


@pytest.mark.requirement("CLI-05")
def test_in_debug_mode_what_is_not_known_is_not_shown(desk: Desk) -> None:
    desk.backend.does(*[hangs_up] * 3)
    ran = desk.computer.program("--debug", "sync")
    assert ran.code == 1
    assert "Status:" not in ran.errors
    assert "Code:" not in ran.errors
    assert "cannot be reached" in ran.errors.splitlines()[-1]


@pytest.mark.requirement("QUE-06", "CLI-06")
def test_a_refused_row_is_told_at_once_shown_in_status_and_sent_again_by_draining(
    desk: Desk, rollout: Rollout
) -> None:
    desk.backend.refuses = lambda _: "total_tokens"
    ran = sync(desk)
    assert ran.code == 0
    assert "refused 1 half-hour rows" in ran.errors
    assert "'vibescore status --diagnostics' tells why" in ran.errors
    (row,) = diagnostics(desk)["refused_rows"]
    assert row["model"] == "gpt-5.1"
    assert row["reason"] == "total_tokens is refused (INVALID_ROW)"
    assert "1 were refused" in desk.computer.program("status").output
    desk.backend.refuses = lambda _: None
    assert sync(desk) == Ran(0, NOTHING_NEW, "")
    assert "Uploaded 1 half-hour rows: 1 inserted" in sync(desk, "--drain").output
    assert desk.backend.rows() == truth_of(rollout)


@pytest.mark.requirement("QUE-06", "CLI-01")
def test_automatic_and_draining_exclude_each_other(desk: Desk) -> None:
    ran = sync(desk, "--auto", "--drain")
    assert ran.code == 2
    assert "--auto" in ran.errors
    assert "'vibescore sync --help'" in ran.errors


@pytest.mark.requirement("QUE-06", "CLI-05", "QUE-04")
def test_a_computer_that_the_server_does_not_know_is_told_what_to_do(desk: Desk) -> None:
    del desk.backend.stored[TOKEN]
    ran = sync(desk)
    assert (ran.code, ran.errors.count("\n")) == (1, 1)
    assert "'vibescore init' links it again" in ran.errors
    assert not (desk.computer.own / TICKET).exists()
    with pytest.raises(Unauthorized):
        desk.computer.run("sync")


@pytest.mark.requirement("QUE-08", "QUE-10")
def test_a_token_in_the_environment_links_by_itself(desk: Desk, rollout: Rollout) -> None:
    (desk.computer.own / FILE).unlink()
    variables = {"VIBESCORE_DEVICE_TOKEN": TOKEN, "VIBESCORE_SERVER": desk.backend.url}
    assert "Uploaded 1 half-hour rows" in sync(desk, **variables).output
    assert desk.backend.rows() == truth_of(rollout)
    assert sync(desk, **variables).output == NOTHING_NEW
    everything = b"".join(path.read_bytes() for path in desk.computer.own.iterdir())
    assert TOKEN.encode() not in everything


@pytest.mark.requirement("QUE-08", "CLI-06", "CLI-10")
def test_the_token_is_in_its_own_file_and_nowhere_else(desk: Desk) -> None:
    desk.backend.does(says(500))
    said = [*sync(desk)[1:], *sync(desk)[1:], *desk.computer.program("status")[1:]]
    others = [path for path in desk.computer.own.iterdir() if path.name != FILE]
    assert len(others) > 1
    assert TOKEN.encode() not in b"".join(path.read_bytes() for path in others)
    assert TOKEN not in "".join(said)


@pytest.mark.requirement("CLI-06")
def test_status_tells_link_queue_and_times_but_no_secret(desk: Desk, rollout: Rollout) -> None:
    sync(desk, "--auto")
    append(log_of(desk), rollout.turns(1).unsaved())
    sync(desk, "--auto")
    shown = diagnostics(desk)
    (line,) = desk.computer.run("export").output.splitlines()
    assert (shown["linked"], shown["server"], shown["device_id"]) == (
        True,
        desk.backend.url,
        DEVICE,
    )
    assert (shown["pending_rows"], shown["pending_bytes"]) == (1, len(line))
    assert -60 < seconds_until(shown["last_upload"]) <= 0
    assert shown["scheduled_retry"]["is_awaited"] is True
    assert seconds_until(shown["scheduled_retry"]["at"]) >= seconds_until(shown["next_upload"])
    text = desk.computer.program("status").output
    for words in (
        f"Server      {desk.backend.url} as device {DEVICE}\n",
        f"Queue       1 half-hour rows wait ({len(line)} bytes)\n",
        f"Last upload {shown['last_upload']}\n",
        f"Next upload {shown['next_upload']}\n",
        f"Retry       at {shown['scheduled_retry']['at']}\n",
    ):
        assert words in text
    assert TOKEN not in text


@pytest.mark.requirement("CLI-06", "NTF-07")
def test_status_tells_when_a_tool_called_last_and_when_that_started_a_sync(desk: Desk) -> None:
    stamps = desk.computer.own / "notify"
    stamps.mkdir()
    for name, at in (("codex.called", 100), ("gemini.called", 200), ("running.lock", 150)):
        (stamps / name).touch()
        os.utime(stamps / name, (at, at))
    shown = diagnostics(desk)
    assert shown["last_notify"] == "1970-01-01T00:03:20Z"
    assert shown["last_notified_sync"] == "1970-01-01T00:02:30Z"


@pytest.fixture
def still(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The same, but who waits for a retry sleeps until the test writes into ``gate``."""
    folder = tmp_path_factory.mktemp("sleep")
    gate = folder / "gate"
    os.mkfifo(gate)
    (folder / "sleep").write_text(f"#!/bin/sh\nread -r _ <{gate}\n")
    (folder / "sleep").chmod(0o755)
    variables = {"PATH": f"{folder}:{os.environ['PATH']}", "GATE": str(gate)}
    computer = Computer(desk.computer.home, variables)
    yield Desk(computer, desk.backend)
    cancel(computer.own)
    wake(Desk(computer, desk.backend))


def wake(desk: Desk) -> None:
    """Who sleeps, or is about to, finds that there is nothing to wait for, and ends."""
    gate = os.open(desk.computer.variables["GATE"], os.O_RDWR)
    os.write(gate, b"\n")
    with (desk.computer.own / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    os.close(gate)


@pytest.mark.requirement("QUE-04")
def test_rows_that_were_held_back_are_sent_without_another_notify(
    still: Desk, rollout: Rollout
) -> None:
    sync(still, "--auto")
    append(log_of(still), rollout.turns(2).unsaved())
    sync(still, "--auto")
    assert still.backend.slugs() == ["device-rows", "ingest"]
    hasten(still)
    (still.computer.own / TICKET).write_text("0\n")
    with open(still.computer.variables["GATE"], "w") as gate:  # waits for who sleeps
        gate.write("\n")
    assert still.backend.wait_for(lambda backend: backend.slugs().count("ingest") == 2)
    assert still.backend.rows() == truth_of(rollout)


def waiting(desk: Desk) -> set[int]:
    """The processes that wait for a retry of this home. Each leads a session of its own: what it
    forks for a command looks the same. A shell that has just been started has no words yet, but the
    lock; while it reads the ticket, that has the place of the lock.
    """
    lock, ticket = str(desk.computer.own / LOCK), str(desk.computer.own / TICKET)
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        number = int(folder.name)
        with suppress(OSError):
            holds = os.readlink(folder / "fd/0") == lock
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if (holds or ticket.encode() in words) and os.getsid(number) == number:
                found.add(number)
    return found


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@linux
@pytest.mark.requirement("QUE-04")
def test_one_waits_however_often_a_sync_is_held_back_and_a_dead_one_is_replaced(
    still: Desk, rollout: Rollout
) -> None:
    sync(still, "--auto")
    assert waiting(still) == set()
    for _ in range(3):
        append(log_of(still), rollout.turns(2).unsaved())
        sync(still, "--auto")
        sync(still, "--auto")
    (first,) = waiting(still)
    os.killpg(first, signal.SIGKILL)
    with (still.computer.own / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until they are gone
    assert waiting(still) == set()
    assert diagnostics(still)["scheduled_retry"]["is_awaited"] is False
    assert "nobody waits for it" in still.computer.program("status").output
    sync(still, "--auto")
    (second,) = waiting(still)
    assert second != first
    memory = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{second}/status").read_text())
    assert memory is not None
    assert int(memory[1]) < 6_000


@linux
@pytest.mark.requirement("QUE-04")
def test_once_everything_was_sent_nobody_waits_any_more(still: Desk, rollout: Rollout) -> None:
    sync(still, "--auto")
    append(log_of(still), rollout.turns(2).unsaved())
    sync(still, "--auto")
    assert waiting(still)
    sync(still)
    assert diagnostics(still)["scheduled_retry"] is None
    wake(still)
    assert waiting(still) == set()
    assert still.backend.rows() == truth_of(rollout)


@linux
@pytest.mark.requirement("QUE-04", "QUE-05")
def test_a_manual_sync_that_failed_is_tried_again_by_itself(still: Desk) -> None:
    still.backend.does(says(503, retry_after="600"))
    assert sync(still).code == 1
    (_,) = waiting(still)
    assert 590 < seconds_until(diagnostics(still)["scheduled_retry"]["at"]) < 602


@pytest.mark.requirement("CLI-07", "QUE-03", "QUE-04")
def test_an_automatic_sync_with_nothing_to_send_or_held_back_imports_little(
    still: Desk, rollout: Rollout
) -> None:
    sync(still, "--auto")
    sync(still, "--auto")
    for waits in (0, 1):
        assert len(still.computer.pending()) == waits
        seen = watch(still.computer, "sync", "--auto")
        assert seen.ran == Ran(0, "", "")
        packages = {name.partition(".")[0] for name in seen.imported}
        assert packages & HEAVY == set()
        assert packages - sys.stdlib_module_names <= LIGHT
        append(log_of(still), rollout.turns(2).unsaved())
        sync(still, "--auto")
        sync(still, "--auto")
    assert still.backend.slugs() == ["device-rows", "ingest"]


@pytest.mark.requirement("QUE-07")
def test_a_sync_with_nothing_new_pings_when_that_is_due(desk: Desk) -> None:
    sync(desk)
    sync(desk)
    assert desk.backend.slugs() == ["device-rows", "ingest"]
    hasten(desk, heartbeat_due=0)
    desk.backend.now = lambda: datetime.now(UTC).timestamp()
    assert sync(desk).output == NOTHING_NEW
    for _ in range(2):
        sync(desk, "--auto")
    assert desk.backend.slugs() == ["device-rows", "ingest", "sync-ping"]
    due = diagnostics(desk)["throttle"]["heartbeat_due"]
    assert 1700 < seconds_until(due) <= 1800


@pytest.mark.requirement("QUE-09", "QUE-10", "CLI-05")
@pytest.mark.parametrize("server", ["http://vibescore.test", "vibescore.test"])
def test_a_server_that_cannot_be_called_is_told_after_collecting(
    server: str, desk: Desk, rollout: Rollout
) -> None:
    save_link(desk.computer.own, Link(server, DEVICE, TOKEN))
    ran = sync(desk)
    assert ran.code == 1
    assert "https://" in ran.errors
    assert desk.computer.export() == truth_of(rollout)


@pytest.mark.requirement("QUE-11", "QUE-02")
def test_a_computer_linked_to_another_server_sends_everything_there(
    desk: Desk, rollout: Rollout
) -> None:
    sync(desk, "--auto")
    with Backend.running() as other:
        other.stored[TOKEN] = {}
        save_link(desk.computer.own, Link(other.url, "device-9", TOKEN))
        assert diagnostics(desk)["next_upload"] is None
        assert sync(desk, "--auto") == Ran(0, "", "")
        assert other.rows() == truth_of(rollout)


@pytest.mark.requirement("QUE-02", "QUE-03", "QUE-07", "SRV-01", "SRV-25")
def test_two_computers_of_one_person_and_the_real_server_agree(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serving(tmp_path_factory.mktemp("server")) as server:
        server.set_clock(f"{datetime.now(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}")
        person = server.sign_up()
        spent = 0
        for number in (1, 2):
            computer = Computer(tmp_path / str(number))
            computer.own.mkdir(parents=True)
            machine = person.link(f"computer-{number}")
            save_link(computer.own, Link(server.url, machine.id, machine.token))
            rollout = Rollout(number, "2026-08-01T00:00:00").meta().model("gpt-5.1")
            for step in range(700):
                at = datetime(2026, 8, 1) + timedelta(minutes=30 * step)  # noqa: DTZ001
                rollout.usage(10 + number, 0, step, 0, at=f"{at:%Y-%m-%dT%H:%M:%S}")
            path = rollout.save(computer.home)
            ran = computer.program("sync")
            assert "Uploaded 700 half-hour rows: 700 inserted, 0 unchanged." in ran.output
            computer.query("UPDATE published SET acked = 0")
            assert "0 inserted, 700 unchanged." in computer.program("sync").output
            append(path, rollout.usage(1_000, 0, 0, 0).unsaved())
            assert "1 inserted, 0 unchanged." in computer.program("sync").output
            spent += sum(its.total_tokens for its in computer.export().values())
            save_link(computer.own, Link(server.url, machine.id, "no-token"))
            computer.query("UPDATE published SET acked = 0")
            assert "does not know this computer" in computer.program("sync").errors
        shown = person.get("usage-summary", **{"from": "2026-07-31", "to": "2026-08-31"})
        if shown.status != 404:
            assert shown.json["totals"]["total_tokens"] == str(spent)

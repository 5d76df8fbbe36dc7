"""`vibescore up`: one command for everything on one computer."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from rollouts import Rollout, append, truth_of
from support import PROGRAM, Computer
from tools import Tools

from vibescore.embedded import running
from vibescore.errors import ConfigError
from vibescore.link import load_link

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def rollout(computer: Computer) -> Rollout:
    log = Rollout(1).meta().model("gpt-5.1").turns(3)
    log.save(computer.home)
    return log


@contextmanager
def up(
    computer: Computer, *options: str, until: str = "until Ctrl-C"
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command while it serves, and what it said until then."""
    words = ("up", "--yes", "--runtime=this", *options)
    with subprocess.Popen(
        [PROGRAM, *words],
        env=computer.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if until in line:
                break
        try:
            yield process, said
        finally:
            process.terminate()


def address(computer: Computer) -> str:
    link = load_link(computer.own, {}, server=None)
    assert link
    return link.server


SIGN_IN = re.compile(r"Created (\S+) \(admin\)\.\nPassword \(shown only now\): (\S+)\n")


@pytest.mark.requirement("CLI-01", "CLI-03", "SRV-05", "SRV-17")
def test_it_makes_a_user_links_collects_uploads_and_serves(
    computer: Computer, rollout: Rollout
) -> None:
    tools = Tools(computer)
    tools.config("codex", "# mine\n")
    with up(computer, "--port=0") as (process, said):
        text = "".join(said)
        assert process.poll() is None, text
        url = address(computer)
        assert f"Your usage: {url}" in text
        shown = SIGN_IN.search(text)
        assert shown
        account = {"email": shown[1], "password": shown[2]}
        session = httpx.post(f"{url}/api/auth/sessions", json=account).json()
        bearer = {"Authorization": f"Bearer {session['accessToken']}"}
        days = {"from": "2026-08-01", "to": "2026-08-31"}
        usage = f"{url}/functions/vibescore-usage-summary"
        totals = httpx.get(usage, params=days, headers=bearer).json()["totals"]
        spent = sum(each.total_tokens for each in truth_of(rollout).values())
        assert int(totals["total_tokens"]) == spent
        assert tools.state("codex").value == "installed"
        process.send_signal(signal.SIGINT)
        assert process.wait(90) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")
    kept = [path.read_bytes() for path in computer.own.rglob("*") if path.is_file()]
    for secret in (shown[2], session["accessToken"]):
        assert not any(secret.encode() in content for content in kept)


@pytest.mark.requirement("CLI-03")
def test_once_more_it_goes_on_as_the_same_device(computer: Computer, rollout: Rollout) -> None:
    with up(computer, "--port=0", "--no-notify"):
        url = address(computer)
    kept = load_link(computer.own, {}, server=None)
    (log,) = computer.home.rglob("rollout-*.jsonl")
    append(log, rollout.turns(1).unsaved())
    again = computer.program(
        "up", "--yes", "--once", "--no-notify", f"--port={url.rpartition(':')[2]}"
    )
    assert (again.code, again.errors) == (0, "")
    assert "stays linked" in again.output
    assert "Created" not in again.output
    assert "1 inserted" in again.output
    assert load_link(computer.own, {}, server=None) == kept


@pytest.mark.requirement("CLI-03")
def test_a_server_that_runs_already_is_used_and_left_running(computer: Computer) -> None:
    with up(computer, "--port=0", "--no-notify") as (process, _):
        port = address(computer).rpartition(":")[2]
        ran = computer.program("up", "--yes", "--no-notify", f"--port={port}")
        assert (ran.code, ran.errors) == (0, "")
        assert "The server ran already" in ran.output
        assert process.poll() is None


@pytest.mark.requirement("CLI-03", "SRV-17")
@pytest.mark.parametrize("sign_up", ["true", "false"])
def test_the_first_user_is_made_and_linked_whatever_holds_for_others_and_no_second(
    sign_up: str, computer: Computer
) -> None:
    computer = Computer(computer.home, {"VIBESCORE_SERVER_SIGN_UP": sign_up})
    first = computer.program("up", "--yes", "--once", "--no-notify", "--port=0")
    assert (first.code, first.errors) == (0, "")
    assert len(SIGN_IN.findall(first.output)) == 1
    assert computer.program("unlink").code == 0
    with up(computer, "--port=0", "--no-notify", until="/link") as (process, said):
        assert process.poll() is None
        assert "Created" not in "".join(said)


@pytest.mark.requirement("CLI-03")
def test_whoever_cannot_be_asked_gets_no_server(computer: Computer) -> None:
    ran = computer.program("up", "--port=0")
    assert ran.code == 2
    assert "~/.vibescore-server" in ran.output
    assert list(computer.home.iterdir()) == []


@pytest.mark.requirement("CLI-05")
def test_a_server_that_does_not_start_says_why(computer: Computer) -> None:
    (computer.home / "data").write_text("not a folder")
    ran = computer.program(
        "up", "--yes", "--no-notify", "--port=0", f"--data-dir={computer.home / 'data'}"
    )
    assert ran.code == 1
    assert "the server did not start" in ran.errors
    assert "data" in ran.errors


@pytest.mark.requirement("CLI-05")
def test_what_a_server_cannot_do_is_told_in_its_words(computer: Computer) -> None:
    place = {"PORT": "0", "DATA_DIR": str(computer.home / "data")}
    settings = {f"VIBESCORE_SERVER_{name}": text for name, text in place.items()}
    with (
        running(computer.environment | settings, computer.home / "log") as server,
        pytest.raises(ConfigError, match=r"'vibescore-server user .*: There is no user a@b\.c"),
    ):
        server.ask("user", "link-code", "a@b.c")


@pytest.mark.requirement("TLS-04")
def test_the_demo_touches_nothing_but_its_scratch_home(computer: Computer) -> None:
    tools = Tools(computer)
    tools.config("codex", "# mine\n")
    Rollout(1).meta().model("gpt-5.1").turns(3).save(computer.home)
    before = {path: path.read_bytes() for path in computer.home.rglob("*") if path.is_file()}
    scratch = computer.home / "scratch"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, ROOT / "dev.py", "demo"],
        env={**computer.environment, "TMPDIR": str(scratch), "VIBESCORE_DEVICE_TOKEN": "x"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Uploaded 1 half-hour rows: 1 inserted" in done.stdout
    assert SIGN_IN.search(done.stdout)
    assert "Look at it again" in done.stdout
    after = {path: path.read_bytes() for path in computer.home.rglob("*") if path.is_file()}
    assert after.items() >= before.items()
    assert {path.name for path in computer.home.iterdir()} - {".cache"} == {".codex", "scratch"}

"""The handler as tools call it: quick, silent, never in the way, whatever is broken behind it."""

from __future__ import annotations

import json
import os
import resource
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Computer, Ran
from tools import Family, Tools, noting, program

from vibescore.handler import (
    Duty,
    home_of,
    is_ours,
    posix_command,
    posix_script,
    powershell,
    script_of,
    source_of,
    windows_command,
    windows_script,
    words_of,
)

PAYLOAD = json.dumps(
    {"type": "agent-turn-complete", "last-assistant-message": 'it\'s\n"so" $x `y` 😀'}
)
QUIET = Ran(0, "", "")
SHELLS = [
    shell
    for shell in ("dash", "bash", "bash --posix", "busybox sh", "ksh", "mksh", "zsh --emulate sh")
    if shutil.which(shell.split()[0])
]
NOTIFIED = pytest.mark.parametrize("source", ["codex", "every-code"])

SYNC = """
import sys, time
from pathlib import Path
sys.path[:0] = {path!r}
from vibescore.cadence import turn

home = Path(sys.argv[1])

def note(what):
    when = "later" if (home.parent / "opened").exists() else "now"
    with open(home.parent / "log", "a") as log:
        print(what, when, file=log)
    return when

def sleep(seconds):
    if seconds and note("waits") == "now":
        open(home.parent / "gate").read()

with turn(home, sleep=sleep) as mine:
    if mine:
        note("starts")
"""


@pytest.fixture
def tools(computer: Computer) -> Tools:
    return Tools(computer)


@pytest.fixture
def family() -> Family:
    return Family()


def call(tools: Tools, family: Family, *arguments: str, shell: str = "", **variables: str) -> Ran:
    """The handler, called as Codex does."""
    environment = {"PATH": os.environ["PATH"], **variables}
    home, handler = tools.computer.home, tools.entries.handler
    return family.run(*shell.split(), handler, *arguments, environment=environment, cwd=home)


def chaining(tools: Tools, source: str, *original: str) -> None:
    tools.config(source, f"notify = {json.dumps(original, ensure_ascii=False)}\n")
    assert all(not done.problem for done in tools.install())


@pytest.mark.requirement("NTF-04", "NTF-05", "CLI-04")
@pytest.mark.parametrize("shell", SHELLS)
def test_a_call_starts_a_sync_of_its_home_with_the_name_of_its_source(
    shell: str, tools: Tools, family: Family
) -> None:
    tools.config("codex")
    tools.install()
    assert call(tools, family, "--source=codex", PAYLOAD, shell=shell) == QUIET
    family.wait()
    assert tools.calls == [f"{tools.computer.own}|sync --auto --notified-by=codex"]
    assert (tools.computer.own / "notify" / "codex.called").exists()


@pytest.mark.requirement("NTF-02")
@NOTIFIED
@pytest.mark.parametrize("shell", SHELLS)
def test_the_original_gets_the_same_payload(
    shell: str, source: str, tools: Tools, family: Family
) -> None:
    seen = tools.computer.home / "seen"
    chaining(tools, source, *noting(seen), "a b", "it's\n", 'größe 😀 "$HOME" `id` \\', "", "-n")
    assert call(tools, family, f"--source={source}", PAYLOAD, shell=shell) == QUIET
    family.wait()
    expected = ["a b", "it's\n", 'größe 😀 "$HOME" `id` \\', "", "-n", PAYLOAD]
    assert seen.read_text("utf-8") == "".join(f"{word}\n" for word in expected)
    assert len(tools.calls) == 1


@pytest.mark.requirement("NTF-02", "NTF-05")
def test_each_source_has_an_original_of_its_own(tools: Tools, family: Family) -> None:
    home = tools.computer.home
    chaining(tools, "codex", *noting(home / "codex seen"))
    chaining(tools, "every-code", *noting(home / "every-code seen"))
    for source in ("every-code", "codex", "gemini", "unheard-of"):
        assert call(tools, family, f"--source={source}", source) == QUIET
    family.wait()
    assert (home / "codex seen").read_text() == "codex\n"
    assert (home / "every-code seen").read_text() == "every-code\n"


@pytest.mark.requirement("NTF-02")
def test_the_original_is_called_where_and_how_the_tool_would(tools: Tools, family: Family) -> None:
    seen = tools.computer.home / "seen"
    script = 'echo "$PWD|$WHO|${PYTHONPATH-}|${VIBESCORE_HOME-}" >"$0"; cat >>"$0"'
    chaining(tools, "codex", "sh", "-c", script, str(seen))
    call(tools, family, "--source=codex", PAYLOAD, WHO="me", PYTHONPATH="/theirs")
    family.wait()
    assert seen.read_text() == f"{tools.computer.home}|me|/theirs|\n"


@pytest.mark.requirement("CLI-04", "NTF-04")
def test_the_sync_is_not_bent_by_the_environment_of_the_tool(tools: Tools, family: Family) -> None:
    tools.config("codex")
    body = 'echo "$PWD|$VIBESCORE_HOME|${PYTHONPATH-}|${PYTHONHOME-}" >>"${0%/*}/calls"'
    tools.entries.install(tools.targets, tools.make_runtime(body))
    call(tools, family, "--source=codex", VIBESCORE_HOME="/x", PYTHONPATH="/y", PYTHONHOME="/z")
    family.wait()
    assert tools.calls == [f"/|{tools.computer.own}||"]


@pytest.mark.requirement("NTF-05")
@pytest.mark.parametrize(
    "arguments", [(), ("--source",), ("--source=",), ("--source=../x", "y"), ("x",)]
)
def test_an_unknown_source_still_gets_a_sync(
    arguments: tuple[str, ...], tools: Tools, family: Family
) -> None:
    tools.config("codex", 'notify = ["touch", "chained"]\n')
    tools.install()
    assert call(tools, family, *arguments) == QUIET
    family.wait()
    assert tools.calls == [f"{tools.computer.own}|sync --auto --notified-by=unknown"]
    assert sorted(path.name for path in tools.computer.home.iterdir()) == [
        ".codex",
        ".vibescore",
        "run time",
    ]


@pytest.mark.requirement("NTF-05")
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_chain_that_leads_back_ends(steps: int, tools: Tools, family: Family) -> None:
    log = tools.computer.home / "log"
    own = [str(tools.entries.handler), "--source=codex"]
    for step in range(steps):
        script = f"step {step}"
        path = program(tools.computer.home / script, f'echo {script} >>"{log}"; exec "$@"')
        own = [str(path), *own]
    chaining(tools, "codex", "sh", "-c", f'echo round >>"{log}"; exec "$@"', "sh", *own)
    assert call(tools, family, "--source=codex", PAYLOAD) == QUIET
    family.wait()
    assert log.read_text().splitlines() == ["round", *(f"step {n}" for n in reversed(range(steps)))]


@pytest.mark.requirement("NTF-05")
def test_two_tools_that_chain_each_other_end(tools: Tools, family: Family) -> None:
    handler = str(tools.entries.handler)
    chaining(tools, "codex", "sh", "-c", 'exec "$@"', "sh", handler, "--source=every-code")
    chaining(tools, "every-code", "sh", "-c", 'exec "$@"', "sh", handler, "--source=codex")
    assert call(tools, family, "--source=codex", PAYLOAD) == QUIET
    family.wait()
    assert len(tools.calls) == 3


@pytest.mark.requirement("NTF-04", "COL-02")
def test_nothing_of_the_payload_is_kept(tools: Tools, family: Family) -> None:
    tools.config("codex")
    tools.install()
    canary = "canary-5f1c"
    call(tools, family, "--source=codex", json.dumps({"message": canary}), canary)
    call(tools, family, f"--source={canary}", canary)
    family.wait()
    kept = [path for path in tools.computer.home.rglob("*") if path.is_file()]
    assert len(kept) > 4
    assert not any(canary in path.name or canary.encode() in path.read_bytes() for path in kept)


@pytest.mark.requirement("NTF-04")
@pytest.mark.parametrize("size", [1_000, 100_000, 131_000])
def test_a_huge_payload_is_passed_on(size: int, tools: Tools, family: Family) -> None:
    seen = tools.computer.home / "seen"
    chaining(tools, "codex", "sh", "-c", f'printf %s "$1" >"{seen}"', "sh")
    assert call(tools, family, "--source=codex", "x" * size) == QUIET
    family.wait()
    assert seen.stat().st_size == size


@pytest.mark.requirement("NTF-04")
def test_nobody_waits_for_what_hangs(tools: Tools, family: Family) -> None:
    fifo = tools.computer.home / "fifo"
    os.mkfifo(fifo)
    hanging = ["sh", "-c", f'read -r line <"{fifo}"']
    chaining(tools, "codex", *hanging)
    tools.entries.install(tools.targets, tools.make_runtime(f'read -r line <"{fifo}"'))
    for _ in range(3):
        assert call(tools, family, "--source=codex", PAYLOAD) == QUIET
    with fifo.open("w") as writing:
        print("go on\n" * 6, file=writing, flush=True)
        family.wait()


@pytest.mark.requirement("NTF-04")
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "broken",
    ["runtime gone", "runtime fails", "original gone", "original fails", "no folder", "no home"],
)
def test_what_is_broken_behind_it_shows_nowhere(
    broken: str, shell: str, tools: Tools, family: Family
) -> None:
    seen = tools.computer.home / "seen"
    chaining(tools, "codex", *noting(seen))
    handler = tools.computer.home / "handler"
    shutil.copy(tools.entries.handler, handler)
    match broken:
        case "runtime gone":
            tools.runtime.unlink()
        case "runtime fails":
            tools.make_runtime("echo no >&2; echo no; exit 3")
        case "original gone":
            chaining(tools, "codex", "/gone/program", "x")
        case "original fails":
            chaining(tools, "codex", "sh", "-c", "echo no >&2; echo no; exit 3")
        case "no folder":
            shutil.rmtree(tools.computer.own / "notify")
        case "no home":
            shutil.rmtree(tools.computer.own)
    command = handler if broken == "no home" else tools.entries.handler
    ran = family.run(*shell.split(), command, "--source=codex", "payload")
    family.wait()
    assert ran == QUIET
    if not broken.startswith("original"):
        assert seen.read_text() == "payload\n"


@pytest.mark.requirement("NTF-04")
@pytest.mark.parametrize("shell", SHELLS)
def test_it_needs_no_environment(shell: str, tools: Tools, family: Family) -> None:
    tools.config("codex")
    tools.install()
    name, *options = shell.split()
    path = shutil.which(name)
    assert path is not None
    assert (
        family.run(path, *options, tools.entries.handler, "--source=codex", environment={}) == QUIET
    )
    family.wait()
    assert len(tools.calls) == 1


@pytest.mark.requirement("NTF-04")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_matter(closed: str, tools: Tools, family: Family) -> None:
    seen = tools.computer.home / "seen"
    chaining(tools, "codex", *noting(seen))
    script = f'"$@" {closed}; echo "code $?"'
    ran = family.run("sh", "-c", script, "sh", tools.entries.handler, "--source=codex", "payload")
    family.wait()
    assert ran == Ran(0, "code 0\n", "")
    assert seen.read_text() == "payload\n"
    assert len(tools.calls) == 1


@pytest.mark.requirement("NTF-08", "NTF-04")
def test_a_hook_that_leaves_its_input_unread_ends_with_an_empty_output(tools: Tools) -> None:
    config = tools.config("gemini", "{}")
    tools.install()
    settings = json.loads(config.read_text())
    command = settings["hooks"]["AfterAgent"][0]["hooks"][0]["command"]
    event = json.dumps({"hook_event_name": "AfterAgent", "prompt_response": "x" * 1000})
    done = subprocess.run(
        ["bash", "-c", command], input=event.encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.fixture
def disk(computer: Computer) -> Iterator[Path]:
    """The home of vibescore on a disk of its own; needs the right to mount one."""
    computer.own.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "vibescore-test"]
    try:
        subprocess.run([*mount, computer.own], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a disk of its own takes the right to mount one")
    yield computer.own
    subprocess.run(["umount", computer.own], check=True)


@pytest.mark.requirement("NTF-04")
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("state", ["full", "read-only"])
def test_a_home_that_takes_nothing_shows_nowhere(
    state: str, shell: str, disk: Path, tools: Tools, family: Family
) -> None:
    seen = tools.computer.home / "seen"
    chaining(tools, "codex", *noting(seen))
    if state == "full":
        with (disk / "ballast").open("wb") as ballast, pytest.raises(OSError, match="space"):
            ballast.write(bytes(1_000_000))
    else:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    ran = call(tools, family, "--source=codex", "payload", shell=shell)
    family.wait()
    assert ran == QUIET
    assert seen.read_text() == "payload\n"
    assert len(tools.calls) == 1


@pytest.mark.requirement("NTF-04")
def test_when_no_process_can_be_started_it_ends_without_a_word(tools: Tools) -> None:
    if os.geteuid():
        pytest.skip("becoming somebody who may start no process takes the right to")
    tools.config("codex")
    tools.install()

    def become_nobody() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        os.setuid(65533)

    script = tools.entries.handler.read_text()
    done = subprocess.run(
        ["sh", "-c", script, "handler", "--source=codex", "payload"],
        capture_output=True,
        preexec_fn=become_nobody,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert tools.calls == []


@pytest.mark.requirement("NTF-07")
def test_a_call_starts_nobody_while_somebody_waits(tools: Tools, family: Family) -> None:
    tools.config("codex")
    tools.install()
    note, now = tools.computer.own / "notify" / "waiting", int(time.time())
    for text, starts in (
        (f"{os.getpid()} {now - 5} {now + 600}\n", False),
        (f"{os.getpid()} {now - 600} {now - 5}\n", True),
        (f"{os.getpid()} {now + 600} {now + 700}\n", True),
        (f"999999999 {now - 5} {now + 600}\n", True),
        ("", True),
        ("0x 08 $(exit) ) (\n", True),
        (f"{os.getpid()}\n", True),
        ("x" * 100_000, True),
    ):
        note.write_text(text)
        own = Family()
        before = len(tools.calls)
        assert call(tools, own, "--source=codex", PAYLOAD) == QUIET
        own.wait()
        assert (len(tools.calls) > before) == starts, text
    family.wait()


@pytest.mark.requirement("NTF-04", "NTF-07")
def test_a_thousand_calls_start_one_sync_and_one_that_waits(tools: Tools, family: Family) -> None:
    home = tools.computer.home
    tools.config("codex")
    os.mkfifo(home / "gate")
    sync = home / "sync.py"
    sync.write_text(SYNC.format(path=[entry for entry in sys.path if entry]))
    tools.entries.install(
        tools.targets,
        tools.make_runtime(f'exec "{sys.executable}" -I -S "{sync}" "$VIBESCORE_HOME"'),
    )
    for _ in range(1000):
        assert call(tools, family, "--source=codex", PAYLOAD) == QUIET
    (home / "opened").touch()
    (home / "gate").open("w").close()
    family.wait()
    log = (home / "log").read_text().splitlines()
    assert [log.count("starts now"), log.count("waits now")] == [1, 1]
    assert log.count("starts later") == 1 + log.count("waits later")


WINDOWS_RUNTIME = ["C:\\Users\\Jo Doe\\venv\\Scripts\\vibescore.exe"]


@pytest.mark.requirement("CLI-13", "NTF-05")
@pytest.mark.parametrize(
    "home", ["/home/jo/.vibescore", '/home/jo doe/it\'s "$x"', "/größe/😀\n", "/-x"]
)
def test_a_command_is_known_again_on_linux_and_macos(home: str) -> None:
    command = posix_command(home, "every-code")
    assert words_of(shlex.join(command)) == command
    assert (script_of(command), source_of(command)) == (
        f"{home}/bin/vibescore-notify",
        "every-code",
    )
    assert home_of(command[0]) == home
    assert is_ours(command)


@pytest.mark.requirement("CLI-13", "NTF-05")
@pytest.mark.parametrize(
    "home", ["C:\\Users\\jo\\.vibescore", "C:\\Users\\Jo Doe's\\.v", "\\\\server\\größe\\x y"]
)
def test_a_command_is_known_again_on_windows(home: str) -> None:
    command = windows_command(home, "gemini", WINDOWS_RUNTIME)
    assert command == [
        "C:\\Users\\Jo Doe\\venv\\Scripts\\pythonw.exe",
        "-I",
        "-S",
        f"{home}\\bin\\vibescore-notify.py",
        "--source=gemini",
    ]
    assert words_of(powershell(command)) == command
    assert home_of(script_of(command) or "") == home
    assert is_ours(command)


@pytest.mark.requirement("CLI-13")
def test_a_command_for_powershell_is_quoted() -> None:
    assert powershell(["C:\\it's me\\p.exe", "-I", "$x"]) == "& 'C:\\it''s me\\p.exe' '-I' '$x'"


@pytest.mark.requirement("NTF-05")
@pytest.mark.parametrize(
    "command",
    [
        [],
        ["vibescore-notify"],
        ["--source=codex"],
        ["notify-send", "/home/x/.vibescore/bin/vibescore-notify", "--source=codex"],
        ["sh", "-c", "/home/x/.vibescore/bin/vibescore-notify --source=codex"],
        ["/opt/vibescore-notify-more", "--source=codex"],
        ["python", "-I", "-S", "C:\\x\\other.py", "--source=codex"],
        ["python", "-I", "-S", "other.py", "C:\\x\\vibescore-notify.py", "--source=codex"],
    ],
)
def test_what_others_call_is_theirs(command: list[str]) -> None:
    assert not is_ours(command)


@pytest.mark.requirement("NTF-05")
@pytest.mark.parametrize("text", [None, 3, "", "it's", "& ", "echo", ["x"]])
def test_what_is_no_command_of_ours_is_none(text: object) -> None:
    assert not is_ours(words_of(text))


@pytest.mark.requirement("NTF-02")
def test_a_handler_for_no_source_is_a_script_too() -> None:
    script = posix_script(Duty("/home/x", ["/bin/true"], {}), ": body")
    done = subprocess.run(["sh", "-n"], input=script.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def heard(fifo: Path, count: int) -> list[str]:
    """The first lines that come through a pipe."""
    reading = os.open(fifo, os.O_RDWR)  # it has no end then, whoever closes it
    text = b""
    while text.count(b"\n") < count:
        assert select.select([reading], [], [], 30)[0], f"nobody says more than {text!r}"
        text += os.read(reading, 65536)
    os.close(reading)
    return text.decode().splitlines()


@pytest.fixture
def for_windows(tools: Tools) -> list[str]:
    """The handler for Windows, which any Python runs, for Codex with an original. What that and
    the runtime note goes through pipes, because they hold nothing open that could be waited for.
    """
    body = Path(__file__).parents[1] / "vibescore" / "handler_windows.py"
    original = [*noting(tools.computer.home / "seen"), 'it\'s "1"']
    duty = Duty(str(tools.computer.own), tools.make_runtime(), {"codex": original, "gemini": []})
    script = tools.computer.home / "vibescore-notify.py"
    script.write_text(windows_script(duty, body.read_text("utf-8")), "utf-8")
    (tools.computer.own / "notify").mkdir(parents=True)
    for name in ("seen", "run time/calls"):
        os.mkfifo(tools.computer.home / name)
    return [sys.executable, "-I", "-S", str(script)]


@pytest.mark.requirement("CLI-13", "NTF-02", "NTF-04")
def test_the_handler_for_windows_does_the_same(
    for_windows: list[str], tools: Tools, family: Family
) -> None:
    assert family.run(*for_windows, "--source=codex", PAYLOAD) == QUIET
    assert family.run(*for_windows, "--source=gemini") == QUIET
    assert family.run(*for_windows, "--source=else", "x") == QUIET
    assert family.run(*for_windows) == QUIET
    own, home = tools.computer.own, tools.computer.home
    by = ["codex", "gemini", "unknown", "unknown"]
    assert sorted(heard(home / "run time/calls", 4)) == [
        f"{own}|sync --auto --notified-by={name}" for name in by
    ]
    assert heard(home / "seen", 2) == ['it\'s "1"', PAYLOAD]
    stamps = sorted(path.name for path in (own / "notify").iterdir())
    assert stamps == ["codex.called", "gemini.called"]


@pytest.mark.requirement("CLI-13", "NTF-05")
def test_the_handler_for_windows_ends_a_chain_that_leads_back(
    for_windows: list[str], tools: Tools, family: Family
) -> None:
    guard = {"PATH": os.environ["PATH"], "VIBESCORE_NOTIFYING": "codex"}
    assert family.run(*for_windows, "--source=codex", "back", environment=guard) == QUIET
    assert family.run(*for_windows, "--source=codex", "forth") == QUIET
    assert len(heard(tools.computer.home / "run time/calls", 2)) == 2
    assert heard(tools.computer.home / "seen", 2)[1::2] == ["forth"]


@pytest.mark.requirement("CLI-13", "NTF-04", "NTF-07")
def test_the_handler_for_windows_leaves_it_to_who_waits_and_survives_what_is_broken(
    for_windows: list[str], tools: Tools, family: Family
) -> None:
    now = int(time.time())
    note = tools.computer.own / "notify" / "waiting"
    note.write_text(f"1 {now - 5} {now + 600}\n")
    assert family.run(*for_windows, "--source=codex", "1") == QUIET
    note.write_text("1 2")
    assert family.run(*for_windows, "--source=gemini") == QUIET
    calls = heard(tools.computer.home / "run time/calls", 1)
    assert [line.rpartition("=")[2] for line in calls] == ["gemini"]
    tools.runtime.unlink()
    assert family.run(*for_windows, "--source=codex", "2") == QUIET
    shutil.rmtree(tools.computer.own)
    assert family.run(*for_windows, "--source=codex", "3") == QUIET
    assert sorted(heard(tools.computer.home / "seen", 6))[:3] == ["1", "2", "3"]

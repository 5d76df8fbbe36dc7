"""The command as a whole: help, mistakes of its user, its end by Ctrl-C or a closed pipe."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import click
import pytest
from rollouts import Chat, Rollout, moment, truth_of, write
from sites import Site, halted
from support import PROGRAM, Computer
from witness import watch

import vibescore
from vibescore.cli import cli

LIGHT = {"click", "vibescore"}
"""All that a sync with nothing new imports beside the standard library."""

HEAVY = {
    "asyncio",
    "email",
    "httpx",
    "multiprocessing",
    "pydantic",
    "pydantic_core",
    "pydantic_settings",
    "rich",
    "ssl",
    "tomllib",
    "zstandard",
}


def commands(group: click.Group = cli, *path: str) -> Iterator[tuple[str, ...]]:
    """Every command and its sub-commands."""
    context = click.Context(group)
    for name in group.list_commands(context):
        yield (*path, name)
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


ELSEWHERE: dict[tuple[str, ...], str] = {
    ("completion",): "its examples are for three shells; test_completion runs them",
    ("init",): "its examples ask, and link; test_init does",
    ("serve",): "its examples serve until stopped; the tests of the server do",
    ("uninstall",): "its examples ask; test_uninstall answers",
    ("up",): "its examples ask, and serve until stopped; test_up does",
}
"""Why the examples of a command are not run here."""

EVERY_COMMAND = [pytest.param(path, id=" ".join(path)) for path in commands()]
every_command = pytest.mark.parametrize("path", EVERY_COMMAND)


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


def examples(text: str) -> list[str]:
    """The command lines below "Examples" in a help text, without what is said of them."""
    _, _, below = re.sub(r"Example:", "Examples:", text).partition("Examples:\n")
    block, _, _ = below.partition("\n\n")
    return [re.split(r" {2,}", line.strip())[0] for line in block.splitlines()]


@pytest.mark.requirement("CLI-01")
@every_command
def test_every_command_has_its_own_help_with_an_example_of_itself(
    path: tuple[str, ...], computer: Computer
) -> None:
    ran = computer.run(*path, "--help")
    assert (ran.code, ran.errors) == (0, "")
    assert ran.output.startswith(f"Usage: vibescore {' '.join(path)}")
    assert any(f"vibescore {' '.join(path)}" in example for example in examples(ran.output))
    assert computer.run(*path, "-h").output == ran.output


@pytest.mark.requirement("CLI-01")
@pytest.mark.parametrize("path", [pytest.param((), id="vibescore"), *EVERY_COMMAND])
def test_every_example_in_the_help_works(path: tuple[str, ...], computer: Computer) -> None:
    if why := ELSEWHERE.get(path):
        pytest.skip(why)
    search = os.pathsep.join([str(PROGRAM.parent), os.environ["PATH"]])
    for example in examples(computer.run(*path, "--help").output):
        done = subprocess.run(
            ["bash", "-c", example],
            cwd=computer.home,
            env=computer.environment | {"PATH": search},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b""), example


@pytest.mark.requirement("CLI-01")
def test_without_arguments_it_prints_the_help_which_lists_every_command(computer: Computer) -> None:
    ran = computer.program()
    assert (ran.code, ran.errors) == (0, "")
    assert ran == computer.program("--help") == computer.program("-h")
    listed = re.findall(r"^  (\w+) {2,}\S", ran.output.partition("Commands:\n")[2], re.MULTILINE)
    assert listed == [path[0] for path in commands() if len(path) == 1]


@pytest.mark.requirement("CLI-01")
def test_it_tells_its_version(computer: Computer) -> None:
    assert computer.program("--version").output == f"vibescore {vibescore.__version__}\n"


MISTAKES = {
    "an unknown command": (("snyc",), "snyc", "vibescore --help"),
    "an unknown sub-command": (("report", "dialy"), "dialy", "vibescore report --help"),
    "an unknown option": (("sync", "--forse"), "--forse", "vibescore sync --help"),
    "an unknown global option": (("--verbos", "sync"), "--verbos", "vibescore --help"),
    "one argument too many": (("status", "now"), "now", "vibescore status --help"),
    "a value that is none": (("export", "--format", "xml"), "jsonl", "vibescore export --help"),
    "a missing argument": (("completion",), "bash", "vibescore completion --help"),
}


@pytest.mark.requirement("CLI-01")
@pytest.mark.parametrize("arguments, named, hint", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistyped_command_ends_with_2_names_the_mistake_and_gives_a_hint(
    arguments: tuple[str, ...], named: str, hint: str, computer: Computer
) -> None:
    ran = computer.program(*arguments)
    assert (ran.code, ran.output) == (2, "")
    assert named in ran.errors
    assert f"'{hint}'" in ran.errors
    assert "Traceback" not in ran.errors
    assert list(computer.home.iterdir()) == []


@pytest.mark.requirement("CLI-05")
def test_an_error_is_one_sentence_and_with_debug_comes_the_trace(computer: Computer) -> None:
    computer.own.mkdir()
    computer.database.write_bytes(b"not a database" * 99)
    plain = computer.program("export")
    assert (plain.code, plain.output) == (1, "")
    assert plain.errors.count("\n") == 1
    assert plain.errors.startswith(f"vibescore: {computer.database} is damaged")
    (computer.own / "config.toml").write_text("debug = true\n")
    by_file = computer.program("export")
    (computer.own / "config.toml").unlink()
    by_flag = computer.program("--debug", "export")
    by_variable = computer.program("export", VIBESCORE_DEBUG="1")
    for ran in (by_file, by_flag, by_variable):
        assert (ran.code, ran.output) == (1, "")
        assert ran.errors.startswith("Traceback (most recent call last):\n")
        assert ran.errors.endswith(plain.errors)


@pytest.mark.requirement("CLI-07", "CLI-10")
def test_a_sync_with_nothing_new_imports_little(computer: Computer) -> None:
    Rollout(1).meta().turns(2).save(computer.home)
    chat = Chat(2).answer("m1", 10, 2, 1, 0, 1)
    write(chat.path(computer.home, ending=".json"), chat.document())
    for _ in range(2):
        assert computer.program("sync", "--offline").code == 0
    seen = watch(computer, "sync", "--offline")
    assert "0 inserted, nothing to upload" in seen.ran.output
    packages = {name.partition(".")[0] for name in seen.imported}
    assert packages & HEAVY == set()
    assert packages - sys.stdlib_module_names <= LIGHT


@pytest.fixture
def long_export(computer: Computer) -> Computer:
    """More rows than a pipe holds."""
    rollout = Rollout(1, "2026-01-01T00:00:00").meta().model("gpt-5.1")
    for step in range(1_000):
        at = moment("2026-01-01T00:00:00") + timedelta(minutes=30 * step)
        rollout.usage(100 + step, 0, 5, 0, at=f"{at:%Y-%m-%dT%H:%M:%S}")
    rollout.save(computer.home)
    computer.sync()
    return computer


ENDLESS = [("export",), ("export", "--format", "csv"), ("report", "daily")]


@pytest.mark.requirement("CLI-11")
@pytest.mark.parametrize("arguments", ENDLESS, ids=" ".join)
def test_who_reads_only_the_beginning_hears_no_complaint(
    arguments: tuple[str, ...], long_export: Computer
) -> None:
    whole = long_export.program(*arguments).output
    with subprocess.Popen(
        [PROGRAM, *arguments],
        env=long_export.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert whole.startswith(program.stdout.readline().decode())
        program.stdout.close()
        assert program.stderr.read() == b""


@pytest.mark.requirement("CLI-11")
@pytest.mark.parametrize(
    "arguments", [*ENDLESS, ("status",), ("config",), ("sync",), ("--help",)], ids=" ".join
)
def test_who_does_not_read_at_all_hears_no_complaint(
    arguments: tuple[str, ...], computer: Computer
) -> None:
    Rollout(1).meta().turns(2).save(computer.home)
    computer.sync()
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [PROGRAM, *arguments],
        env=computer.environment,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert done.stderr == b""


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Programs started here take Ctrl-C, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.requirement("CLI-05", "COL-08")
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_a_sync_with_a_plain_sentence_and_loses_nothing(
    computer: Computer, site: Site
) -> None:
    rollout = Rollout(1).meta().model("gpt-5.1").turns(3)
    rollout.save(computer.home)
    with halted(computer, site) as sync:
        sync.process.send_signal(signal.SIGINT)
        code, errors = sync.end()
    assert code == 130
    assert errors.split("\n", 1)[1].startswith("Stopped.")
    assert errors.count("\n") == 2
    computer.sync()
    assert computer.export() == truth_of(rollout)


@pytest.mark.requirement("CLI-05")
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_wait_for_another_sync(computer: Computer, site: Site) -> None:
    with (
        halted(computer, site),
        subprocess.Popen(
            [PROGRAM, "sync", "--offline"], env=computer.environment, stderr=subprocess.PIPE
        ) as second,
    ):
        assert second.stderr is not None
        assert second.stderr.readline().startswith(b"Another sync is running")
        second.send_signal(signal.SIGINT)
        assert b"Stopped." in second.stderr.read()
        assert second.wait() == 130


@pytest.mark.requirement("CLI-12")
def test_a_rebuild_reads_every_log_and_keeps_what_lost_logs_told(computer: Computer) -> None:
    first, second = (Rollout(number).meta().model("gpt-5.1").turns(3) for number in (1, 2))
    path = first.save(computer.home)
    second.save(computer.home)
    computer.program("sync", "--offline")
    path.unlink()
    ran = computer.program("sync", "--offline", "--rebuild")
    assert (ran.code, ran.errors) == (0, "")
    assert computer.export() == truth_of(first, second)
    seen = watch(computer, "sync", "--offline", "--rebuild")
    assert {name for name in seen.opened if "rollout-" in name} == {
        str(path) for path in computer.home.rglob("rollout-*")
    }

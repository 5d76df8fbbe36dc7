"""Notify entries on a computer: files as they really are, and what the handler then chains."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Computer
from tools import Tools, program

from vibescore.errors import ConfigError
from vibescore.model import NotifyTarget
from vibescore.notify import Entries

FOREIGN = 'notify = ["notify-send", "Codex"] # mine\nmodel = "a"\n'
NOTIFIED = pytest.mark.parametrize("source", ["codex", "every-code"])
MADE = pytest.mark.parametrize("source", ["codex", "gemini"])
"""Tools that get a settings file where there is none yet."""

SOURCES = pytest.mark.parametrize("source", ["codex", "every-code", "gemini"])


@pytest.fixture
def tools(computer: Computer) -> Tools:
    return Tools(computer)


def notify_of(config: Path) -> list[str] | None:
    return tomllib.loads(config.read_text("utf-8-sig")).get("notify")


def text_for(source: str) -> str:
    return '{\n  "theme": "x"\n}\n' if source == "gemini" else FOREIGN


def files_below(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.requirement("NTF-01", "NTF-02")
@NOTIFIED
def test_the_entry_calls_the_handler_with_its_source(source: str, tools: Tools) -> None:
    config = tools.config(source, FOREIGN)
    tools.install()
    assert notify_of(config) == [f"{tools.computer.own}/bin/vibescore-notify", f"--source={source}"]
    assert os.access(tools.entries.handler, os.X_OK)


@pytest.mark.requirement("NTF-08")
def test_the_hook_has_the_form_that_gemini_reads(tools: Tools) -> None:
    config = tools.config("gemini", '{"theme": "x"}')
    tools.install()
    settings = json.loads(config.read_text())
    assert list(settings) == ["theme", "hooks"]
    [[hook]] = [definition["hooks"] for definition in settings["hooks"]["AfterAgent"]]
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {hook.pop('command')}"], capture_output=True, check=True
    )
    assert words.stdout.decode().splitlines() == tools.command("gemini")
    assert hook == {"type": "command", "name": "vibescore", "timeout": 5000}


@pytest.mark.requirement("NTF-06")
def test_every_code_is_left_alone_without_its_settings_file(tools: Tools) -> None:
    folder = tools.config("every-code").parent
    assert tools.install() == []
    assert list(folder.iterdir()) == []
    assert tools.state("every-code") == "tool not found"


@pytest.mark.requirement("NTF-06")
@pytest.mark.parametrize("named", [None, "elsewhere"])
def test_every_code_is_configured_where_its_settings_file_is(
    named: str | None, computer: Computer
) -> None:
    folder = computer.home / (named or ".code")
    variables = {"CODE_HOME": str(folder)} if named else {}
    tools = Tools(Computer(computer.home, variables))
    config = tools.config("every-code", "model = 'x'\n")
    assert config == folder / "config.toml"
    tools.install()
    assert notify_of(config) == tools.command("every-code")


@pytest.mark.requirement("NTF-01", "NTF-03", "NTF-08")
@MADE
def test_a_tool_without_a_settings_file_gets_one_and_loses_it_again(
    source: str, tools: Tools
) -> None:
    config = tools.config(source)
    assert tools.state(source) == "not installed"
    assert tools.entries.plan(tools.targets, tools.make_runtime())[0] == config
    tools.install()
    assert tools.state(source) == "installed"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    tools.install()
    tools.remove()
    assert list(config.parent.iterdir()) == []


@pytest.mark.requirement("NTF-01", "NTF-03")
@MADE
def test_a_link_that_leads_nowhere_does_so_again(source: str, tools: Tools) -> None:
    config = tools.config(source)
    config.symlink_to("elsewhere")
    tools.install()
    assert tools.state(source) == "installed"
    assert config.is_symlink()
    tools.remove()
    assert list(config.parent.iterdir()) == [config]
    assert not config.exists()


@pytest.mark.requirement("NTF-03", "NTF-08")
@pytest.mark.parametrize(
    "source, before, after, left",
    [
        ("codex", "notify", '"model" = "mine"\nnotify', '"model" = "mine"\n'),
        ("gemini", '{\n  "hooks"', '{\n  "theme": "x",\n  "hooks"', '{\n  "theme": "x"\n}\n'),
    ],
)
def test_a_settings_file_that_was_made_for_us_stays_when_something_was_added(
    source: str, before: str, after: str, left: str, tools: Tools
) -> None:
    config = tools.config(source)
    tools.install()
    config.write_text(config.read_text().replace(before, after, 1))
    tools.install()
    tools.remove()
    assert config.read_text() == left


@pytest.mark.requirement("NTF-01")
def test_nothing_is_created_for_tools_that_are_not_there(tools: Tools) -> None:
    tools.make_runtime()
    before = files_below(tools.computer.home)
    assert tools.install() == []
    assert files_below(tools.computer.home) == before
    assert tools.entries.plan(tools.targets, tools.make_runtime()) == []


@pytest.mark.requirement("CLI-03")
@SOURCES
def test_a_plan_names_every_file_that_installing_touches(source: str, tools: Tools) -> None:
    tools.config(source, text_for(source))
    runtime = tools.make_runtime()
    before = files_below(tools.computer.home)
    plan = tools.entries.plan(tools.targets, runtime)
    assert files_below(tools.computer.home) == before
    tools.install()
    after = files_below(tools.computer.home)
    touched = {name for name in after if after[name] != before.get(name)}
    assert touched == {str(path.relative_to(tools.computer.home)) for path in plan}
    assert tools.entries.plan(tools.targets, runtime) == []


@pytest.mark.requirement("CLI-03", "NTF-01")
@SOURCES
def test_installing_twice_writes_nothing(source: str, tools: Tools) -> None:
    tools.config(source, text_for(source))
    tools.install()
    folders = [tools.computer.home, tools.computer.own / "bin", tools.computer.own / "notify"]
    before = [path.stat() for folder in folders for path in sorted(folder.iterdir())]
    tools.install()
    after = [path.stat() for folder in folders for path in sorted(folder.iterdir())]
    assert [(it.st_ino, it.st_mtime_ns) for it in after] == [
        (it.st_ino, it.st_mtime_ns) for it in before
    ]


@pytest.mark.requirement("NTF-03")
@SOURCES
def test_removing_forgets_what_was_kept(source: str, tools: Tools) -> None:
    tools.config(source, text_for(source))
    tools.install()
    kept = tools.computer.own / "notify" / f"{source}.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    tools.remove()
    assert files_below(tools.computer.own) == {}


@pytest.mark.requirement("NTF-01", "NTF-03")
def test_a_text_that_quotes_our_entry_comes_back_byte_for_byte(tools: Tools) -> None:
    text = f'notes = """\nnotify = {json.dumps(tools.command("codex"))}\n"""'
    config = tools.config("codex", text)
    tools.install()
    assert tools.state("codex") == "installed"
    tools.remove()
    assert config.read_text() == text


@pytest.mark.requirement("NTF-03")
def test_removing_needs_no_plugin(tools: Tools) -> None:
    config = tools.config("codex", FOREIGN)
    tools.install()
    tools.entries.remove({})
    assert config.read_text() == FOREIGN


@pytest.mark.requirement("NTF-03")
@NOTIFIED
def test_a_change_between_two_installs_becomes_the_new_original(source: str, tools: Tools) -> None:
    config = tools.config(source, FOREIGN)
    tools.install()
    config.write_text('# new\nnotify = ["say", "done"]\n')
    assert tools.state(source) == "changed by somebody else"
    tools.install()
    assert notify_of(config) == tools.command(source)
    assert "exec say done" in tools.entries.handler.read_text()
    assert "notify-send" not in tools.entries.handler.read_text()
    tools.remove()
    assert config.read_text() == '# new\nnotify = ["say", "done"]\n'


@pytest.mark.requirement("NTF-03")
@NOTIFIED
def test_a_value_that_is_not_ours_any_more_is_left_alone(source: str, tools: Tools) -> None:
    config = tools.config(source, FOREIGN)
    tools.install()
    theirs = f'notify = ["other", "{tools.entries.handler}", "--source={source}"]\n'
    config.write_text(theirs)
    assert [done.changed for done in tools.remove(source)] == [False]
    assert config.read_text() == theirs
    assert not (tools.computer.own / "notify" / f"{source}.json").exists()


@pytest.mark.requirement("NTF-03")
@SOURCES
def test_a_settings_file_that_is_gone_is_forgotten(source: str, tools: Tools) -> None:
    config = tools.config(source, text_for(source))
    tools.install()
    config.unlink()
    tools.remove()
    assert not config.exists()
    assert files_below(tools.computer.own) == {}


@pytest.mark.requirement("NTF-03", "NTF-05")
@SOURCES
def test_an_entry_of_another_home_is_taken_over_with_its_original(
    source: str, computer: Computer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tools = Tools(computer)
    config = tools.config(source, text_for(source))
    other = Entries(tmp_path_factory.mktemp("other"))
    other.install(tools.targets, tools.make_runtime())
    assert tools.state(source) == "calls another home of vibescore"
    tools.install()
    assert tools.state(source) == "installed"
    assert str(other.home) not in tools.entries.handler.read_text()
    assert ("notify-send" in tools.entries.handler.read_text()) == (source != "gemini")
    other.remove(tools.targets)
    assert tools.state(source) == "installed"
    tools.remove()
    assert config.read_text() == text_for(source)


@pytest.mark.requirement("NTF-03")
def test_a_settings_file_made_for_another_home_goes_with_the_entry(
    computer: Computer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tools = Tools(computer)
    folder = tools.config("codex").parent
    other = Entries(tmp_path_factory.mktemp("other"))
    other.install(tools.targets, tools.make_runtime())
    tools.install()
    tools.remove()
    assert list(folder.iterdir()) == []


@pytest.mark.requirement("NTF-03", "NTF-05")
@pytest.mark.parametrize(
    "left",
    [
        ["/gone/.vibescore/bin/vibescore-notify"],
        ["C:\\py\\pythonw.exe", "-I", "-S", "C:\\v\\bin\\vibescore-notify.py"],
    ],
)
def test_an_entry_left_over_from_a_home_that_is_gone_is_ours(left: list[str], tools: Tools) -> None:
    config = tools.config("codex", f"notify = {json.dumps([*left, '--source=codex'])}\n")
    assert tools.state("codex") == "calls something that is gone"
    tools.install()
    assert tools.state("codex") == "installed"
    assert "gone" not in tools.entries.handler.read_text()
    tools.remove()
    assert notify_of(config) is None


@pytest.mark.requirement("NTF-05")
def test_a_program_that_passes_us_on_is_chained_like_any_other(tools: Tools) -> None:
    theirs = ["other", f"{tools.entries.handler}", "--source=codex"]
    tools.config("codex", f"notify = {json.dumps(theirs)}\n")
    tools.install()
    assert f"exec other {tools.entries.handler} --source=codex" in tools.entries.handler.read_text()


@pytest.mark.requirement("CLI-04", "CLI-08")
@pytest.mark.parametrize("lost", ["runtime", "handler"])
def test_an_entry_that_calls_something_gone_is_told_and_repaired(lost: str, tools: Tools) -> None:
    config = tools.config("codex", FOREIGN)
    tools.install()
    (tools.runtime if lost == "runtime" else tools.entries.handler).unlink()
    assert tools.state("codex") == "calls something that is gone"
    assert [done.changed for done in tools.install("codex")] == [False]
    assert tools.state("codex") == "installed"
    tools.remove()
    assert config.read_text() == FOREIGN


@pytest.mark.requirement("CLI-04")
@pytest.mark.parametrize("runtime", ["vibescore", "/gone/bin/vibescore", "/etc/passwd"])
def test_a_runtime_that_tools_could_not_call_is_refused(runtime: str, tools: Tools) -> None:
    config = tools.config("codex", FOREIGN)
    with pytest.raises(ConfigError, match="pipx install"):
        tools.entries.install(tools.targets, [runtime])
    assert config.read_text() == FOREIGN
    assert not tools.computer.own.exists()


@pytest.mark.requirement("CLI-04")
def test_a_new_runtime_changes_the_handler_alone(tools: Tools) -> None:
    config = tools.config("codex", FOREIGN)
    tools.install()
    before = config.stat().st_mtime_ns
    other = program(tools.computer.home / "other", "")
    assert tools.entries.plan(tools.targets, [str(other)]) == [
        tools.entries.handler,
        tools.entries.handler.with_name("vibescore-notify.json"),
    ]
    tools.entries.install(tools.targets, [str(other)])
    assert config.stat().st_mtime_ns == before
    assert f"exec {other} " in tools.entries.handler.read_text()


@pytest.mark.requirement("NTF-01")
@SOURCES
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_mode_and_owner_stay(mode: int, source: str, tools: Tools) -> None:
    config = tools.config(source, text_for(source))
    config.chmod(mode)
    owner = 12345 if os.geteuid() == 0 else os.geteuid()
    os.chown(config, owner, -1)
    for act in (tools.install, tools.remove):
        act()
        after = config.stat()
        assert (stat.S_IMODE(after.st_mode), after.st_uid) == (mode, owner)
    assert sorted(path.name for path in config.parent.iterdir()) == [config.name]


@pytest.mark.requirement("NTF-01", "NTF-03")
@SOURCES
@pytest.mark.parametrize("kind", ["absolute", "relative", "of a link", "of the folder"])
def test_a_link_stays_and_leads_to_the_same_file(kind: str, source: str, tools: Tools) -> None:
    config = tools.config(source)
    dotfiles = tools.computer.home / "dotfiles"
    dotfiles.mkdir()
    real = dotfiles / config.name
    real.write_text(text_for(source))
    if kind == "of the folder":
        config.parent.rmdir()
        config.parent.symlink_to(dotfiles)
    elif kind == "of a link":
        config.symlink_to(dotfiles / "second")
        (dotfiles / "second").symlink_to(config.name)
    else:
        config.symlink_to(real if kind == "absolute" else Path("../dotfiles", config.name))
    links = [path for path in tools.computer.home.rglob("*") if path.is_symlink()]
    tools.install()
    assert "vibescore-notify" in real.read_text()
    assert tools.state(source) == "installed"
    tools.remove()
    assert real.read_text() == text_for(source)
    assert [path for path in tools.computer.home.rglob("*") if path.is_symlink()] == links


@pytest.mark.requirement("NTF-01", "CLI-05")
@SOURCES
def test_a_read_only_file_is_left_alone_and_told(source: str, tools: Tools) -> None:
    config = tools.config(source, text_for(source))
    config.chmod(0o444)
    [done] = tools.install(source)
    assert "read-only" in done.problem
    assert "chmod u+w" in done.problem
    assert str(config) in done.problem
    assert config.read_text() == text_for(source)
    assert not (tools.computer.own / "notify" / f"{source}.json").exists()
    assert sorted(path.name for path in config.parent.iterdir()) == [config.name]


@pytest.mark.requirement("NTF-03", "CLI-05")
def test_an_entry_that_cannot_be_taken_out_goes_on_working(tools: Tools) -> None:
    config = tools.config("codex", FOREIGN)
    tools.config("gemini", "{}")
    tools.install()
    config.chmod(0o444)
    problems = {done.source: done.problem for done in tools.remove()}
    assert "read-only" in problems["codex"]
    assert problems["gemini"] == ""
    assert tools.state("codex") == "installed"
    config.chmod(0o644)
    tools.remove()
    assert config.read_text() == FOREIGN
    assert files_below(tools.computer.own) == {}


@pytest.fixture
def read_only(tools: Tools) -> Iterator[Path]:
    """Codex's folder on a disk that cannot be written; needs the right to mount one."""
    folder = tools.config("codex").parent
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "vibescore-test", folder],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a disk of its own takes the right to mount one")
    config = tools.config("codex", FOREIGN)
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    yield config
    subprocess.run(["umount", folder], check=True)


@pytest.mark.requirement("NTF-01", "CLI-05")
def test_a_disk_that_cannot_be_written_is_told(read_only: Path, tools: Tools) -> None:
    [done] = tools.install("codex")
    assert f"{read_only} cannot be written: Read-only file system" in done.problem
    assert tools.state("codex") == "not installed"


@pytest.mark.requirement("NTF-01", "CLI-05")
@pytest.mark.parametrize(
    "what, why", [("folder", "not a plain file"), ("latin-1", "not UTF-8 text (line 2)")]
)
def test_what_is_no_text_file_is_told(what: str, why: str, tools: Tools) -> None:
    config = tools.config("codex")
    if what == "folder":
        config.mkdir()
    else:
        config.write_bytes(b'# one\nmodel = "gr\xfcn"\n')
    [done] = tools.install("codex")
    assert why in done.problem
    assert str(config) in done.problem
    assert tools.state("codex") == "settings file cannot be used"


@pytest.mark.requirement("NTF-01", "CLI-05")
def test_one_broken_settings_file_does_not_stop_the_others(tools: Tools) -> None:
    tools.config("codex", "notify = [")
    config = tools.config("every-code", FOREIGN)
    problems = {done.source: done.problem for done in tools.install()}
    assert "not valid TOML" in problems["codex"]
    assert problems["every-code"] == ""
    assert notify_of(config) == tools.command("every-code")


@pytest.mark.requirement("NTF-02", "NTF-06")
def test_two_tools_that_share_a_settings_file_share_one_entry(computer: Computer) -> None:
    shared = str(computer.home / "shared")
    tools = Tools(Computer(computer.home, {"CODEX_HOME": shared, "CODE_HOME": shared}))
    config = tools.config("codex", FOREIGN)
    tools.install()
    tools.install()
    assert notify_of(config) == tools.command("codex")
    assert [it.source for it in tools.entries.states(tools.targets)] == ["codex", "gemini"]
    tools.remove()
    assert config.read_text() == FOREIGN


@pytest.mark.requirement("NTF-03")
def test_when_a_tool_moved_its_old_settings_are_put_back(computer: Computer) -> None:
    old = Tools(computer)
    before = old.config("codex", FOREIGN)
    old.install()
    moved = Tools(Computer(computer.home, {"CODEX_HOME": str(computer.home / "moved")}))
    config = moved.config("codex", "model = 'b'\n")
    moved.install()
    assert before.read_text() == FOREIGN
    assert notify_of(config) == moved.command("codex")
    moved.remove()
    assert config.read_text() == "model = 'b'\n"


@pytest.mark.requirement("NTF-03")
@pytest.mark.parametrize("damage", ["", "{", '{"config": 3}'])
def test_without_what_was_kept_our_entry_is_still_taken_out(damage: str, tools: Tools) -> None:
    config = tools.config("codex", FOREIGN)
    tools.install()
    (tools.computer.own / "notify" / "codex.json").write_text(damage)
    tools.install()
    assert tools.state("codex") == "installed"
    tools.remove()
    assert config.read_text() == 'model = "a"\n'


@pytest.mark.requirement("NTF-05")
def test_a_source_with_a_name_for_no_script_is_refused(tools: Tools) -> None:
    config = tools.config("codex", FOREIGN)
    [done] = tools.entries.install({"a'b/..": NotifyTarget(config)}, tools.make_runtime())
    assert "cannot be the name of a source" in done.problem
    assert config.read_text() == FOREIGN

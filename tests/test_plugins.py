"""Plugins as they are found, loaded and called: one that is broken is named, the others go on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rollouts import Chat, Counters, Rollout, Truth, append, truth_of, write
from sites import DIARY, Site
from support import Computer
from witness import watch

import vibescore
from vibescore.hookspecs import API_VERSION

CANARY = "canary-3f81"
DIARY_ROW = ("diary", "pen", "2026-08-06T08:00:00Z")
TOKENS = "TokenTotals(record.tokens, 0, 0, 0, record.tokens)"
EVENT = "UsageEvent(record.id, record.at, record.model, tokens)"
TREE = 'Tree(env.home / ".diary", "*.jsonl", Lines(Record, State))'
DISCOVER = f"return [{TREE}]"
BACKFILL = """

@hookimpl
def vibescore_backfill_model(slot, timeline):
    """


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A folder in which nothing is installed yet."""
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def others(computer: Computer) -> Truth:
    """Logs of Codex and of Gemini on the computer, and what is in them."""
    rollout = Rollout(1).meta(cwd=f"/home/u/{CANARY}").model("gpt-5.1").say(CANARY).turns(3)
    rollout.save(computer.home)
    chat = Chat(2).write("m1", content=CANARY).answer("m2", 10, 2, 1, 0, 1)
    write(chat.path(computer.home, ending=".json"), chat.document())
    return truth_of(rollout, chat)


def write_diary(computer: Computer, *tokens: int, model: str | None = "pen") -> Path:
    """The diary's log: an entry for each of these numbers of tokens."""
    records = (
        {"id": f"e{place}", "at": 1_786_004_000, "tokens": spent, "model": model}
        for place, spent in enumerate(tokens)
    )
    text = "".join(json.dumps(record) + "\n" for record in records)
    return write(computer.home / ".diary" / "one.jsonl", text.encode())


def diary(*tokens: int, model: str = "pen") -> Truth:
    """What is in a diary of these entries."""
    spent = sum(tokens)
    return {(DIARY_ROW[0], model, DIARY_ROW[2]): Counters(spent, 0, 0, 0, spent)}


def of_others(exported: Truth) -> Truth:
    return {key: counters for key, counters in exported.items() if key[0] != "diary"}


def listed(computer: Computer, **variables: str) -> dict[str, dict[str, Any]]:
    """What `vibescore plugins --json` says, by name."""
    ran = computer.program("plugins", "--json", **variables)
    assert (ran.code, ran.errors) == (0, "")
    return {plugin["name"]: plugin for plugin in json.loads(ran.output)}


class Mistake(NamedTuple):
    """What is put in place of which part of the diary's plugin, and what vibescore says of it."""

    old: str
    new: str
    said: str = "diary"
    state: str = "failed"

    @property
    def code(self) -> str:
        assert self.old in DIARY
        return DIARY.replace(self.old, self.new)


def each(mistakes: Mapping[str, Mistake]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("mistake", mistakes.values(), ids=mistakes.keys())


BEGIN = "from msgspec import Struct\n"
END = "        yield UsageEvent"

UNLOADABLE = {
    "an import that fails": Mistake(BEGIN, "import no_such_tool\n", "no_such_tool"),
    "a syntax error": Mistake(BEGIN, "def broken(:\n", "SyntaxError"),
    "an exit at import": Mistake(BEGIN, "raise SystemExit(3)\n", "SystemExit"),
    "an error at import": Mistake(BEGIN, "1 / 0\n", "ZeroDivisionError"),
    "a misspelt hook": Mistake("vibescore_identify", "vibescore_identfy", "vibescore_identfy"),
    "a misspelt argument": Mistake("(records, context)", "(recrods, context)", "recrods"),
    "an undecorated hook": Mistake(
        "@hookimpl\ndef vibescore_identify", "def vibescore_identify", "vibescore_identify"
    ),
    "no hook at all": Mistake(DIARY, "", "no hook"),
    "discovery without parsing": Mistake(
        DIARY[DIARY.rindex("@hookimpl") :], "", "no vibescore_parse"
    ),
    "hooks of an older version": Mistake(
        BEGIN,
        f"vibescore_api = {API_VERSION - 1}\n{BEGIN}",
        "upgrade the plugin",
        "incompatible",
    ),
    "hooks of a newer version": Mistake(
        BEGIN, f"vibescore_api = {API_VERSION + 1}\n{BEGIN}", "upgrade vibescore", "incompatible"
    ),
    "attributes that raise": Mistake(
        BEGIN, f"{BEGIN}\ndef __getattr__(name):\n    raise ValueError(name)\n", "ValueError"
    ),
}


@pytest.mark.requirement("PLG-01", "PLG-02", "PLG-05", "COL-09")
@each(UNLOADABLE)
def test_a_plugin_that_cannot_be_used_is_named_with_the_reason_and_the_others_go_on(
    mistake: Mistake, computer: Computer, site: Site, others: Truth
) -> None:
    write_diary(computer, 5, 7)
    site.install("diary", mistake.code, version="4.2")
    broken = site.on(computer)
    ran = broken.program("sync", "--offline")
    assert ran.code == 0, ran
    assert computer.export() == others
    plugin = listed(broken)["diary"]
    assert mistake.said in plugin.pop("problem")
    assert plugin == {
        "name": "diary",
        "distribution": "vibescore-diary",
        "version": "4.2",
        "state": mistake.state,
        "hooks": [],
    }
    assert "diary" in ran.errors
    assert mistake.said in ran.errors


@pytest.mark.requirement("PLG-02", "CLI-06")
def test_the_table_and_the_status_name_a_broken_plugin_with_its_reason(
    computer: Computer, site: Site
) -> None:
    site.install("diary", None)
    broken = site.on(computer)
    for command in ("plugins", "status"):
        ran = broken.program(command)
        (line,) = (line for line in ran.output.splitlines() if "diary" in line)
        assert "failed" in line
        assert "ModuleNotFoundError" in line


RAISE = 'raise ValueError("canary-3f81")'

FAILING = {
    "discovery raises": Mistake(DISCOVER, RAISE, "discover: it raised ValueError"),
    "discovery raises late": Mistake(
        DISCOVER, f"yield {TREE}\n    {RAISE}", "discover: it raised ValueError"
    ),
    "discovery gives a number": Mistake(DISCOVER, "return 5", "discover: it raised TypeError"),
    "discovery gives paths": Mistake(
        DISCOVER, 'return [env.home / ".diary"]', "vibescore_discover gave a PosixPath"
    ),
    "identification raises": Mistake(
        "return Identity(path.stem)", RAISE, "identify: it raised ValueError"
    ),
    "identification gives a name": Mistake(
        "return Identity(path.stem)", "return path.stem", "vibescore_identify gave a str"
    ),
    "parsing raises": Mistake("    for record in", f"    {RAISE}\n    for record in", "ValueError"),
    "parsing raises late": Mistake(
        END, f"        if record.id == 'e1':\n            {RAISE}\n{END}", "it raised ValueError"
    ),
    "parsing gives a number": Mistake(
        DIARY[DIARY.rindex("    for record") :], "    return 5\n", "parse: it raised TypeError"
    ),
    "parsing gives tokens": Mistake(EVENT, "tokens", "vibescore_parse gave a TokenTotals"),
    "parsing never ends": Mistake(
        "    for record in",
        "    yield from vibescore_parse(records, context)\n    for record in",
        "it raised RecursionError",
    ),
}


@pytest.mark.requirement("PLG-02", "COL-09", "COL-02")
@each(FAILING)
def test_a_plugin_that_fails_is_left_out_and_counts_everything_when_it_is_mended(
    mistake: Mistake, computer: Computer, site: Site, others: Truth
) -> None:
    write_diary(computer, 5, 7, 11)
    site.install("diary", mistake.code)
    ran = site.on(computer).program("sync", "--offline")
    assert ran.code == 0, ran
    assert of_others(computer.export()) == others
    assert "plugin diary failed to " in ran.errors
    assert mistake.said in ran.errors
    (problem,) = json.loads(computer.run("status", "--diagnostics").output)["problems"]
    assert problem["source"] == "diary"
    listed = json.loads(site.on(computer).program("plugins", "--json").output)
    assert [each["state"] for each in listed if each["name"] == "diary"] == ["failing"]
    assert mistake.said in problem["what"]
    assert CANARY not in ran.output + ran.errors + str(problem)
    site.install("diary", DIARY)
    ran = site.on(computer).program("sync", "--offline")
    assert (ran.code, ran.errors) == (0, "")
    assert computer.export() == others | diary(5, 7, 11)


WRONG = {
    "a tree without a root": Mistake('env.home / ".diary"', "None"),
    "a tree without a pattern": Mistake('"*.jsonl"', "None"),
    "a tree read by a struct": Mistake("Lines(Record, State)", "Record"),
    "a broken regular expression": Mistake("Lines(Record, State)", 'Lines(Record, State, b"(")'),
    "a head that is no struct": Mistake("Lines(Record, State))", 'Lines(Record), "x")'),
    "a state that needs values": Mistake("Lines(Record, State)", "Lines(Record, Record)"),
    "a state that cannot be kept": Mistake(
        "context.state.lines += 1", "context.state.lines = object()"
    ),
    "a state that holds itself": Mistake(
        "context.state.lines += 1", "context.state.lines = context"
    ),
    "a session without a key": Mistake("Identity(path.stem)", "Identity(None)"),
    "a session named by a path": Mistake("Identity(path.stem)", "Identity(path)"),
    "an event without a time": Mistake("record.at, ", "None, "),
    "an event without tokens": Mistake("record.model, tokens", "record.model, None"),
    "tokens that are fractions": Mistake(TOKENS, "TokenTotals(1.5, 0, 0, 0, 1.5)"),
    "a reason that is no text": Mistake("context.state.lines += 1", "context.skip(object())"),
}


@pytest.mark.requirement("PLG-02", "COL-09")
@each(WRONG)
def test_a_plugin_that_answers_with_what_cannot_be_used_stops_no_other(
    mistake: Mistake, computer: Computer, site: Site, others: Truth
) -> None:
    write_diary(computer, 5, 7, 11)
    site.install("diary", mistake.code)
    ran = site.on(computer).program("sync", "--offline")
    assert ran.code == 0, ran
    assert computer.export() == others
    assert "diary" in ran.errors or skipped(computer, "diary") == 3
    site.install("diary", DIARY.replace("Lines(Record, State)", "Lines(Record, State), None, 2"))
    ran = site.on(computer).program("sync", "--offline")
    assert (ran.code, ran.errors) == (0, "")
    assert computer.export() == others | diary(5, 7, 11)


def skipped(computer: Computer, source: str) -> int:
    """How many records of a source were left out, for whatever reason."""
    shown = json.loads(computer.run("status", "--diagnostics").output)["sources"]
    return sum(shown.get(source, {}).get("skipped_records", {}).values())


BACKFILLS = {
    "raises": f"raise ValueError('{CANARY}')",
    "gives a number": "return 5",
    "gives what is no text on the wire": 'return "pen\\udc80"',
}


@pytest.mark.requirement("PLG-02", "COL-09")
@pytest.mark.parametrize("body", BACKFILLS.values(), ids=BACKFILLS.keys())
def test_a_backfill_that_fails_leaves_the_tokens_unknown(
    body: str, computer: Computer, site: Site, others: Truth
) -> None:
    write_diary(computer, 5, 7, model=None)
    site.install("diary", DIARY + BACKFILL + body + "\n")
    ran = site.on(computer).program("sync", "--offline")
    assert ran.code == 0, ran
    assert computer.export() == others | diary(5, 7, model="unknown")
    assert "plugin diary failed to backfill" in ran.errors
    assert CANARY not in ran.errors


@pytest.mark.requirement("PLG-01", "BKF-08")
def test_a_plugin_of_a_third_party_has_every_right_of_ours(
    computer: Computer, site: Site, others: Truth
) -> None:
    write_diary(computer, 5, 7, model=None)
    site.install("diary", DIARY + BACKFILL + 'return "quill"\n')
    ran = site.on(computer).program("sync", "--offline")
    assert (ran.code, ran.errors) == (0, "")
    assert computer.export() == others | diary(5, 7, model="quill")
    plugin = listed(site.on(computer))["diary"]
    assert plugin["hooks"] == ["backfill_model", "discover", "identify", "parse"]
    assert plugin["state"] == "loaded"


@pytest.mark.requirement("PLG-02", "CLI-07")
def test_what_was_installed_or_removed_since_is_noticed_at_once(
    computer: Computer, site: Site
) -> None:
    write_diary(computer, 5, 7)
    assert site.on(computer).program("sync", "--offline").code == 0
    site.install("diary", DIARY, version="1.0")
    assert site.on(computer).program("sync", "--offline").code == 0
    assert computer.export() == diary(5, 7)
    assert listed(site.on(computer))["diary"]["version"] == "1.0"
    shutil.rmtree(site.folder / "vibescore_diary-1.0.dist-info")
    site.install("diary", DIARY, version="2.0")
    assert listed(site.on(computer))["diary"]["version"] == "2.0"
    shutil.rmtree(site.folder / "vibescore_diary-2.0.dist-info")
    assert "diary" not in listed(site.on(computer))
    assert site.on(computer).program("sync", "--offline").code == 0
    assert computer.export() == diary(5, 7)


@pytest.mark.requirement("PLG-02")
def test_two_distributions_with_one_name_are_both_left_out(
    computer: Computer, site: Site, others: Truth
) -> None:
    write_diary(computer, 5, 7)
    site.install("diary", DIARY, distribution="vibescore-diary")
    site.install("diary", DIARY, distribution="someones-diary")
    ran = site.on(computer).program("sync", "--offline")
    assert ran.code == 0, ran
    assert computer.export() == others
    plugin = listed(site.on(computer))["diary"]
    assert plugin["state"] == "failed"
    for said in (plugin["problem"], ran.errors):
        assert "vibescore-diary" in said
        assert "someones-diary" in said


@pytest.mark.requirement("PLG-02")
def test_a_variable_selects_plugins_and_the_rest_is_not_even_imported(
    computer: Computer, site: Site, others: Truth
) -> None:
    site.install("diary", "raise SystemExit('imported')")
    selection = {"VIBESCORE_PLUGINS": "gemini"}
    ran = site.on(computer).program("sync", "--offline", **selection)
    assert (ran.code, ran.errors) == (0, "")
    assert computer.export() == {key: its for key, its in others.items() if key[0] == "gemini"}
    plugins = listed(site.on(computer), **selection)
    states = {name: plugin["state"] for name, plugin in plugins.items()}
    assert states == {
        "codex": "not selected",
        "diary": "not selected",
        "every-code": "not selected",
        "gemini": "loaded",
    }
    assert site.on(computer).program("sync", "--offline", VIBESCORE_PLUGINS="codex").code == 0
    assert computer.export() == others


@pytest.mark.requirement("PLG-02")
def test_a_selected_plugin_that_is_not_installed_is_told(computer: Computer, others: Truth) -> None:
    selection = {"VIBESCORE_PLUGINS": "codex, gemini, dairy"}
    ran = computer.program("sync", "--offline", **selection)
    assert ran.code == 0
    assert computer.export() == others
    assert "dairy" in ran.errors
    assert "no such plugin is installed" in ran.errors
    assert listed(computer, **selection)["dairy"]["state"] == "failed"


@pytest.mark.requirement("PLG-02", "COL-02")
def test_the_trace_shows_every_call_and_no_content(computer: Computer, others: Truth) -> None:
    ran = computer.program("sync", "--offline", VIBESCORE_TRACE_PLUGINS="1")
    assert computer.export() == others
    for name in ("codex", "gemini"):
        for hook in ("discover", "identify", "parse"):
            assert f"plugin {name}: vibescore_{hook} " in ran.errors
    assert CANARY not in ran.errors + ran.output
    assert str(computer.home) not in ran.errors
    assert "rollout-" not in ran.errors


@pytest.mark.requirement("PLG-02", "CLI-02")
def test_without_any_plugin_vibescore_says_so_and_how_to_get_one(
    computer: Computer, site: Site, others: Truth
) -> None:
    assert others
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith("vibescore_"):
            (site.folder / path.name).symlink_to(path)
    code_of_ours = site.folder / "vibescore"
    if not code_of_ours.exists():
        code_of_ours.symlink_to(Path(vibescore.__file__).parent)

    def bare(*arguments: str) -> subprocess.CompletedProcess[str]:
        start = "from vibescore.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-S", "-c", start, *arguments],
            env=computer.environment | {"PYTHONPATH": str(site.folder)},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )

    assert "No plugin is installed" in bare("plugins").stdout
    assert "pip install 'vibescore[all]'" in bare("plugins").stdout
    assert "pip install 'vibescore[all]'" in bare("sync", "--offline").stderr
    assert computer.export() == {}
    site.install("diary", DIARY)
    write_diary(computer, 5, 7)
    assert bare("sync", "--offline").stderr == ""
    assert computer.export() == diary(5, 7)


@pytest.mark.requirement("COL-01", "PLG-01")
def test_a_file_that_nobody_claims_is_not_opened_again_until_a_new_plugin_does(
    computer: Computer, site: Site
) -> None:
    log = str(write_diary(computer, 5, 7))
    headed = DIARY.replace("Lines(Record, State)", "Lines(Record, State), Record")
    site.install("diary", headed.replace("return Identity(path.stem)", "return None"))
    first, second = (watch(site.on(computer), "sync", "--offline") for _ in range(2))
    assert (log in first.opened, log in second.opened) == (True, False)
    assert computer.export() == {}
    site.install("quill", headed)
    claimed, known = (watch(site.on(computer), "sync", "--offline") for _ in range(2))
    assert (log in claimed.opened, log in known.opened) == (True, False)
    assert computer.export() == {("quill", *key[1:]): its for key, its in diary(5, 7).items()}


@pytest.mark.requirement("CLI-12", "PLG-02")
def test_new_rules_count_the_files_again_that_still_exist(computer: Computer, site: Site) -> None:
    log = write_diary(computer, 5, 7)
    gone = write(log.with_name("gone.jsonl"), log.read_bytes().replace(b'"e', b'"g'))
    site.install("diary", DIARY, version="1.0")
    newer = site.on(computer)
    newer.program("sync", "--offline")
    assert computer.export() == diary(5, 7, 5, 7)
    gone.unlink()
    doubled = DIARY.replace("record.tokens", "2 * record.tokens")
    site.install("diary", doubled)
    newer.program("sync", "--offline")
    assert computer.export() == diary(5, 7, 5, 7)
    site.install("diary", doubled.replace("Lines(Record, State)", "Lines(Record, State), None, 2"))
    newer.program("sync", "--offline")
    assert computer.export() == diary(5, 7, 10, 14)


@pytest.mark.requirement("COL-09", "PLG-02")
def test_a_state_of_another_shape_than_the_plugin_has_now_stops_no_other(
    computer: Computer, site: Site, others: Truth
) -> None:
    log = write_diary(computer, 5, 7)
    site.install("diary", DIARY)
    site.on(computer).program("sync", "--offline")
    append(log, b'{"id": "e9", "at": 1786004000, "tokens": 3}\n')
    site.install("diary", DIARY.replace("lines: int = 0", "lines: list[str] = []"))
    assert of_others(computer.export()) == others
    rollout = Rollout(3).meta().model("gpt-5.1").turns(1)
    rollout.save(computer.home)
    ran = site.on(computer).program("sync", "--offline")
    assert ran.code == 0, ran
    assert of_others(computer.export()) != others
    assert "diary" in ran.errors

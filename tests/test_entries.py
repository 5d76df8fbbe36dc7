"""Our entry gets into settings files of every kind, and out of them again."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from settings_files import INVALID_JSON, INVALID_TOML, JSON, TOML
from support import Computer
from tools import Tools

from vibescore.entries import Entry, EntryError, JsonHook, Splice, TomlNotify

COMMAND = ["/home/a b/.vibescore/bin/vibescore-notify", "--source=codex"]
ENTRIES: dict[str, Entry] = {"codex": TomlNotify(), "gemini": JsonHook("AfterAgent")}

FILES = [
    *(pytest.param("codex", text, id=f"toml, {name}") for name, text in TOML.items()),
    *(pytest.param("gemini", text, id=f"json, {name}") for name, text in JSON.items()),
]
BROKEN = [
    *(pytest.param("codex", *case, id=f"toml, {name}") for name, case in INVALID_TOML.items()),
    *(pytest.param("gemini", *case, id=f"json, {name}") for name, case in INVALID_JSON.items()),
]


@pytest.fixture
def tools(computer: Computer) -> Tools:
    return Tools(computer)


def later(source: str, text: str) -> str:
    """The settings after a tool has written one more, at their end."""
    if source == "codex":
        return text + '\n[projects."/later"]\ntrust_level = "trusted"\n'
    body, _, tail = text.rpartition("}")
    return body + ', "later": 1}' + tail


def settings_of(source: str, text: str) -> dict[str, Any]:
    """What a text holds, as a parser of the standard library reads it."""
    text = text.removeprefix("\ufeff")
    if source == "codex":
        return tomllib.loads(text)
    plain = re.sub(r'(?m)^[^"\n]*//.*$|/\*.*?\*/|// (after|end|off).*$', "", text)
    settings = json.loads(plain.strip() or "{}")
    assert isinstance(settings, dict)
    return settings


def without_entry(source: str, settings: dict[str, Any]) -> str:
    """What is left beside the place of our entry; NaN equals NaN then."""
    if source == "codex":
        settings.pop("notify", None)
    else:
        hooks = settings.pop("hooks", {})
        mine = [it for it in hooks.pop("AfterAgent", []) if "vibescore" not in str(it)]
        settings["hooks"] = [sorted(hooks.items()), mine]
    return repr(sorted(settings.items()))


@pytest.mark.requirement("NTF-01", "NTF-03", "NTF-08")
@pytest.mark.parametrize("source, text", FILES)
def test_installing_and_removing_gives_the_same_bytes(source: str, text: str, tools: Tools) -> None:
    config = tools.config(source, text)
    assert [done.problem for done in tools.install(source)] == [""]
    assert tools.state(source) == "installed"
    assert config.read_bytes() != text.encode()
    tools.remove(source)
    assert config.read_bytes() == text.encode()
    assert tools.state(source) == "not installed"


@pytest.mark.requirement("NTF-01", "NTF-08")
@pytest.mark.parametrize("source, text", FILES)
def test_installing_twice_is_installing_once(source: str, text: str, tools: Tools) -> None:
    config = tools.config(source, text)
    tools.install(source)
    once = config.read_bytes()
    assert [done.changed for done in tools.install(source)] == [False]
    assert config.read_bytes() == once
    tools.remove(source)
    assert config.read_bytes() == text.encode()


@pytest.mark.requirement("NTF-01", "NTF-08")
@pytest.mark.parametrize("source, text", FILES)
def test_nothing_but_the_entry_is_touched(source: str, text: str, tools: Tools) -> None:
    config = tools.config(source, text)
    tools.install(source)
    installed = config.read_bytes().decode()
    was, now = settings_of(source, text), settings_of(source, installed)
    assert tools.command(source)[0] in str(now)
    assert without_entry(source, now) == without_entry(source, was)
    _, added, replaced = Splice.between(text, installed)
    assert replaced in (ENTRIES[source].original(text) or "") or replaced in added


@pytest.mark.requirement("NTF-01", "NTF-08")
@pytest.mark.parametrize("source, text", FILES)
def test_line_ends_stay_as_they_are(source: str, text: str, tools: Tools) -> None:
    config = tools.config(source, text)
    tools.install(source)
    lines = config.read_bytes().split(b"\n")[:-1]
    if "\r\n" in text and not re.search(r"(?<!\r)\n", text):
        assert all(line.endswith(b"\r") for line in lines)
    elif "\r" not in text:
        assert not any(line.endswith(b"\r") for line in lines)


@pytest.mark.requirement("NTF-03", "NTF-08")
@pytest.mark.parametrize("source, text", FILES)
def test_a_later_change_of_something_else_survives(source: str, text: str, tools: Tools) -> None:
    config = tools.config(source, text)
    tools.install(source)
    config.write_bytes(later(source, config.read_bytes().decode()).encode())
    tools.remove(source)
    removed = config.read_bytes().decode()
    if source == "codex":
        assert removed == later(source, text)
    else:
        assert settings_of(source, removed) == settings_of(source, text) | {"later": 1}
        assert re.findall(r"//.*|/\*.*?\*/", removed) == re.findall(r"//.*|/\*.*?\*/", text)


@pytest.mark.requirement("NTF-01", "NTF-08", "CLI-05")
@pytest.mark.parametrize("source, text, why", BROKEN)
def test_an_invalid_file_is_left_alone_and_told(
    source: str, text: str, why: str, tools: Tools
) -> None:
    config = tools.config(source, text)
    [done] = tools.install(source)
    assert not done.changed
    assert str(config) in done.problem
    assert why in done.problem
    assert config.read_bytes() == text.encode()
    assert tools.state(source) == "settings file cannot be used"
    assert tools.entries.plan({source: tools.targets[source]}, tools.make_runtime()) == []


@pytest.mark.requirement("NTF-03")
@pytest.mark.parametrize("source, text", FILES)
def test_what_was_there_before_is_put_back_among_other_changes(source: str, text: str) -> None:
    entry = ENTRIES[source]
    changed = later(source, entry.put(text, COMMAND))
    after = entry.put_back(changed, entry.original(text))
    assert entry.found(after) == entry.found(text)
    assert without_entry(source, settings_of(source, after)) == without_entry(
        source, settings_of(source, changed)
    )
    if source == "codex":
        assert (entry.original(text) or "") in after


@pytest.mark.requirement("NTF-08")
def test_a_hook_that_somebody_added_to_ours_stays() -> None:
    entry = ENTRIES["gemini"]
    text = '{\n  "hooks": {\n    "AfterAgent": []\n  }\n}\n'
    installed = json.loads(entry.put(text, COMMAND))
    own = {"type": "command", "command": "say done"}
    installed["hooks"]["AfterAgent"][0]["hooks"].append(own)
    after = json.loads(entry.put_back(json.dumps(installed, indent=1), "event"))
    assert after == {"hooks": {"AfterAgent": [{"hooks": [own]}]}}


@pytest.mark.requirement("NTF-08")
def test_a_hook_of_ours_that_stands_there_twice_goes_altogether() -> None:
    entry = ENTRIES["gemini"]
    twice = entry.put(entry.put('{"a": 1}', COMMAND), COMMAND)
    assert twice.count("--source=codex") == 2
    assert entry.put_back(twice, None) == '{"a": 1}'


@pytest.mark.requirement("NTF-08", "CLI-06")
@pytest.mark.parametrize(
    "switch", [{"enabled": False}, {"enabled": True, "disabled": ["x", "vibescore"]}]
)
def test_a_hook_that_the_tool_does_not_call_is_told(switch: dict[str, Any], tools: Tools) -> None:
    tools.config("gemini", json.dumps({"hooksConfig": switch}))
    tools.install()
    assert tools.state("gemini") == "installed, but switched off in the tool"


STATEMENTS = [
    "a = 1",
    "# comment",
    "",
    "\t",
    "  b.c = 'x' # c",
    'd = """\n[x]\nnotify = 1"""',
    "e = [\n 1, # one\n]",
    "f = { notify = ['x'] }",
    "'g h' = 1979-05-27",
]
NOTIFIES = ["", 'notify = ["x"]', "notify = [ # a\n 'x',\n\n 'y' ] # z", '"notify"= []']
TABLES = [
    "[t]",
    "# of u\n[u]\nnotify = 1",
    "\n[[v]]\na.b = 1",
    "[[v]]",
    "# end",
    "",
    "[w.x]\ny = 1 # y",
]
LINE_ENDS = st.sampled_from(["\n", "\r\n"])


@st.composite
def toml_texts(draw: st.DrawFn) -> str:
    """Settings with and without a ``notify``, put together of what people write."""
    head = draw(st.lists(st.sampled_from(STATEMENTS), unique=True))
    notify = [draw(st.sampled_from(NOTIFIES))]
    at = draw(st.integers(0, len(head)))
    tables = draw(st.lists(st.sampled_from(TABLES), max_size=5))
    last = draw(st.sampled_from(["", "\n"]))
    text = "\n".join([*head[:at], *notify, *head[at:], *tables]) + last
    return draw(st.sampled_from(["", "\ufeff"])) + text.replace("\n", draw(LINE_ENDS))


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
)
HOOKS = st.dictionaries(st.sampled_from(["AfterAgent", "BeforeTool"]), st.lists(VALUES, max_size=3))


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    """Settings with and without hooks, in the layouts that programs write."""
    settings = draw(st.dictionaries(st.text(max_size=3), VALUES, max_size=3))
    if draw(st.booleans()):
        settings["hooks"] = draw(HOOKS)
    indent = draw(st.sampled_from([None, 0, 1, 2, 4, "\t"]))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]))
    text = json.dumps(settings, indent=indent, separators=separators)
    return text.replace("\n", draw(LINE_ENDS))


@pytest.mark.requirement("NTF-01", "NTF-03")
@given(text=toml_texts())
def test_any_toml_takes_an_entry_and_gives_it_up_again(text: str) -> None:
    assume(is_toml(text.removeprefix("\ufeff")))
    assert_reversible("codex", text)


@pytest.mark.requirement("NTF-08", "NTF-03")
@given(text=json_texts())
def test_any_json_takes_an_entry_and_gives_it_up_again(text: str) -> None:
    assert_reversible("gemini", text)


def is_toml(text: str) -> bool:
    try:
        return tomllib.loads(text) is not None
    except tomllib.TOMLDecodeError:
        return False


def assert_reversible(source: str, text: str) -> None:
    entry = ENTRIES[source]
    installed = entry.put(text, COMMAND)
    assert entry.found(installed) == COMMAND
    assert Splice.between(text, installed).undone(installed) == text
    after = entry.put_back(installed, entry.original(text))
    assert entry.same(after, text)
    assert entry.found(after) == entry.found(text)


@pytest.mark.requirement("NTF-01")
@given(before=st.text("ab", max_size=9), after=st.text("ab", max_size=9))
def test_a_change_of_a_text_can_be_undone(before: str, after: str) -> None:
    splice = Splice.between(before, after)
    assert splice.undone(after) == before
    assert after[splice.start :].startswith(splice.added)


@pytest.mark.requirement("NTF-01")
@pytest.mark.parametrize("source", ["codex", "gemini"])
def test_what_is_no_settings_file_raises(source: str) -> None:
    for act in (ENTRIES[source].found, ENTRIES[source].original):
        with pytest.raises(EntryError, match=r"is not valid|cannot be edited"):
            act("{")

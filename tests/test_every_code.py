"""Every Code beside Codex: which file is whose, wherever the variables and links lead (COL-04).

The truth is always that of both sources: a file that were counted by two of them, or by none,
would show.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rollouts import (
    Chat,
    Counters,
    EveryCode,
    Record,
    Rollout,
    Truth,
    append,
    backwards,
    compress,
    event_msg,
    truth_of,
    write,
)
from support import Computer

from vibescore.plugins import Plugin

CODEX, MINI, CODE = "gpt-5.2-codex", "gpt-5.1-codex-mini", "gpt-5.5-codex"
SOURCES = ("codex", "every-code", "gemini")


def codex_session(number: int, start: str = "2026-08-10T09:14:00") -> Rollout:
    return Rollout(number, start).meta().model(CODEX).turns(2)


def code_session(number: int, start: str = "2026-08-10T09:14:00") -> EveryCode:
    return EveryCode(number, start).meta().naming(requested=CODE).turns(2)


def save(home: Path, *sessions: Rollout) -> Truth:
    """Writes them all and gives their truth."""
    for session in sessions:
        session.save(home)
    return truth_of(*sessions)


def select(computer: Computer, *names: str) -> Computer:
    """The same computer, with these plugins only."""
    return Computer(computer.home, {"VIBESCORE_PLUGINS": ",".join(names)})


def by_name() -> dict[str, Plugin]:
    return {plugin.name: plugin for plugin in Computer.plugins()}


def requesting(model: str) -> Callable[[Record], Record]:
    """The envelope of an Every Code that resumed a foreign session and requests this model."""
    envelope = EveryCode(9).event
    return lambda payload: envelope(
        payload | {"info": payload["info"] | {"requested_model": model}}
    )


@pytest.mark.requirement("COL-04", "PLG-01")
def test_every_code_is_an_ordinary_plugin_among_the_installed_ones() -> None:
    assert {*SOURCES} <= by_name().keys()


@pytest.mark.requirement("COL-03", "COL-04")
def test_with_codex_home_set_its_files_are_found_there_and_in_its_own_folder(
    computer: Computer,
) -> None:
    home = Computer(computer.home, {"CODEX_HOME": str(computer.home / "elsewhere")})
    own, shared = code_session(1), code_session(2).inside("elsewhere")
    truth = save(home.home, own, shared, codex_session(3).inside("elsewhere"))
    home.sync()
    assert home.export() == truth


@pytest.mark.requirement("COL-03", "COL-04")
def test_with_codex_home_set_the_usual_folder_of_codex_is_not_read(computer: Computer) -> None:
    home = Computer(computer.home, {"CODEX_HOME": str(computer.home / "elsewhere")})
    save(home.home, code_session(2).inside(".codex"), codex_session(3))
    truth = save(home.home, code_session(1))
    home.sync()
    assert home.export() == truth


@pytest.mark.requirement("COL-04")
def test_code_home_replaces_its_own_folder_and_codexs_tree_is_still_searched(
    computer: Computer,
) -> None:
    home = Computer(computer.home, {"CODE_HOME": str(computer.home / "elsewhere")})
    save(home.home, code_session(9))
    own, shared = code_session(1).inside("elsewhere"), code_session(2).inside(".codex")
    truth = save(home.home, own, shared, codex_session(3))
    home.sync()
    assert home.export() == truth


@pytest.mark.requirement("COL-04")
def test_both_homes_may_be_set_to_folders_of_any_name(computer: Computer) -> None:
    variables = {"CODE_HOME": "~/a b/ö", "CODEX_HOME": str(computer.home / "c")}
    home = Computer(computer.home, variables)
    own, shared = code_session(1).inside("a b/ö"), code_session(2).inside("c")
    truth = save(home.home, own, shared, codex_session(3).inside("c"))
    home.sync()
    assert home.export() == truth


@pytest.mark.requirement("COL-04")
@pytest.mark.parametrize("value", ["", "  "])
def test_a_home_that_is_set_to_nothing_is_not_set(value: str, computer: Computer) -> None:
    home = Computer(computer.home, {"CODE_HOME": value, "CODEX_HOME": value})
    truth = save(home.home, code_session(1), code_session(2).inside(".codex"), codex_session(3))
    home.sync()
    assert home.export() == truth


@pytest.mark.requirement("COL-04", "COL-09")
def test_a_home_that_does_not_exist_is_no_trouble_and_is_found_when_it_appears(
    computer: Computer,
) -> None:
    home = Computer(computer.home, {"CODE_HOME": str(computer.home / "later")})
    home.sync()
    assert home.export() == {}
    truth = save(home.home, code_session(1).inside("later"))
    home.sync()
    assert home.export() == truth


SHARED = {
    "both variables": {"CODE_HOME": "~/shared", "CODEX_HOME": "~/shared"},
    "both variables, spelt differently": {"CODE_HOME": "~/x/../shared/", "CODEX_HOME": "~/shared"},
    "CODE_HOME is a link to CODEX_HOME": {"CODE_HOME": "~/link", "CODEX_HOME": "~/shared"},
    "CODEX_HOME is a link to CODE_HOME": {"CODE_HOME": "~/shared", "CODEX_HOME": "~/link"},
    "both are links": {"CODE_HOME": "~/link", "CODEX_HOME": "~/link2"},
    ".code is a link to CODEX_HOME": {"CODEX_HOME": "~/shared"},
    ".codex is a link to CODE_HOME": {"CODE_HOME": "~/shared"},
    ".code and .codex are links": {},
}
"""Ways to one folder, ~/shared, for both tools."""


@pytest.mark.requirement("COL-04", "COL-10")
@pytest.mark.parametrize("variables", SHARED.values(), ids=SHARED.keys())
def test_in_a_folder_that_both_tools_share_each_file_is_counted_once_and_for_its_source(
    variables: dict[str, str], computer: Computer
) -> None:
    home = Computer(computer.home, variables)
    for folder in ("shared", "x"):
        (home.home / folder).mkdir()
    for link in ("link", "link2", ".code", ".codex"):
        (home.home / link).symlink_to(home.home / "shared")
    sessions = code_session(1).inside("shared"), codex_session(2).inside("shared")
    paths = [session.save(home.home) for session in sessions]
    home.sync()
    assert home.export() == truth_of(*sessions)
    for session, path in zip(sessions, paths, strict=True):
        session.turns(1).append_to(path)
    home.sync()
    assert home.export() == truth_of(*sessions)
    assert "0 inserted, nothing to upload" in home.sync().output
    assert home.query("SELECT COUNT(*) FROM file") == [(2,)]


@pytest.mark.requirement("COL-04", "COL-08")
def test_a_session_is_not_counted_again_when_a_variable_moves_the_tree_that_holds_it(
    computer: Computer,
) -> None:
    truth = save(computer.home, code_session(1), code_session(2).inside(".codex"), codex_session(3))
    computer.sync()
    for variables in (
        {"CODE_HOME": "~/.codex"},
        {"CODEX_HOME": "~/.code"},
        {"CODE_HOME": "~/.codex", "CODEX_HOME": "~/.code"},
    ):
        moved = Computer(computer.home, variables)
        assert "0 inserted, nothing to upload" in moved.sync().output
        assert moved.export() == truth


@pytest.mark.requirement("COL-04")
def test_every_code_alone_does_not_take_the_files_of_codex(computer: Computer) -> None:
    codes = code_session(1), code_session(2).inside(".codex")
    save(computer.home, *codes, codex_session(3), codex_session(4).inside(".code"))
    alone = select(computer, "every-code")
    alone.sync()
    assert alone.export() == truth_of(*codes)


@pytest.mark.requirement("COL-03", "COL-04")
def test_codex_alone_does_not_count_the_files_of_every_code(computer: Computer) -> None:
    save(computer.home, code_session(1), code_session(2).inside(".codex"))
    truth = save(computer.home, codex_session(3))
    alone = select(computer, "codex")
    alone.sync()
    assert alone.export() == truth


@pytest.mark.requirement("COL-04", "COL-10")
@pytest.mark.parametrize("first", ["codex", "every-code", "gemini"])
def test_files_that_nobody_took_are_found_when_their_plugin_joins(
    first: str, computer: Computer
) -> None:
    sessions = code_session(1), code_session(2).inside(".codex"), codex_session(3)
    truth = save(computer.home, *sessions)
    alone = select(computer, first)
    alone.sync()
    assert alone.export() == {key: row for key, row in truth.items() if key[0] == first}
    computer.sync()
    assert computer.export() == truth


@pytest.mark.requirement("COL-04", "COL-10")
@pytest.mark.parametrize("first", ["codex", "every-code"])
def test_what_a_plugin_has_counted_stays_when_the_other_one_is_used_alone(
    first: str, computer: Computer
) -> None:
    other = {"codex": "every-code", "every-code": "codex"}[first]
    truth = save(computer.home, code_session(1).inside(".codex"), codex_session(2))
    for name in (first, other, first):
        select(computer, name).sync()
    assert computer.export() == truth


@pytest.mark.requirement("COL-04", "BKF-08")
@pytest.mark.parametrize("order", list(permutations(SOURCES)), ids=" ".join)
def test_the_order_of_plugins_changes_nothing(order: tuple[str, ...], computer: Computer) -> None:
    plugins = [by_name()[name] for name in order]
    parent = EveryCode(1).meta().task().turns(3)
    child = parent.fork(2, "11:00").copy_head(parent).turns(2).inside(".codex")
    codex = codex_session(3, "2026-08-10T10:14:00")
    chat = Chat(4, "2026-08-10T09:15:00").answer("m1", 10, 2, 1, 0, 1)
    save(computer.home, parent, codex)
    computer.collect(plugins)
    save(computer.home, child, codex.restart().turns(2, at="12:40"))
    write(chat.path(computer.home, ending=".json"), chat.document())
    computer.collect(plugins)
    assert computer.totals() == truth_of(parent, child, codex, chat)


@pytest.mark.requirement("COL-03", "COL-04")
def test_a_codex_session_that_every_code_resumed_stays_with_codex(computer: Computer) -> None:
    codex = codex_session(1)
    path = codex.save(computer.home)
    computer.sync()
    codex.wrap = requesting(CODEX)
    codex.restart().turns(3, at="15:00").append_to(path)
    beside = code_session(2)
    beside.save(computer.home)
    computer.sync()
    assert computer.export() == truth_of(codex, beside)


@pytest.mark.requirement("COL-03", "COL-04")
def test_a_codex_session_without_a_model_has_the_one_that_every_code_requested(
    computer: Computer,
) -> None:
    codex = Rollout(1).meta()
    codex.wrap, codex.model_name = requesting(CODE), CODE
    truth = save(computer.home, codex.usage(900, 100, 20, 0).usage(950, 900, 30, 0))
    computer.sync()
    assert computer.export() == truth


@pytest.mark.requirement("COL-03", "COL-04")
def test_an_every_code_session_that_codex_resumed_stays_with_every_code(
    computer: Computer,
) -> None:
    code = code_session(1).inside(".codex")
    path = code.save(computer.home)
    computer.sync()
    code.wrap, code.named, code.model_name = event_msg, {}, CODEX
    code.put({"type": "turn_context", "payload": {"model": CODEX}}, at="15:00")
    code.resumed().usage(900, 100, 20, 0).usage(80, 0, 2, 0).append_to(path)
    codex = codex_session(2)
    codex.save(computer.home)
    computer.sync()
    assert computer.export() == truth_of(code, codex)


@pytest.mark.requirement("COL-04")
def test_a_fork_that_every_code_made_of_a_codex_session_counts_only_what_it_added(
    computer: Computer,
) -> None:
    codex = codex_session(1).turns(3)
    code = EveryCode(2, "2026-08-10T11:00:00").meta().copy_head(codex, lines=slice(2, None))
    truth = save(computer.home, codex, code.naming(requested=CODE).turns(2))
    computer.sync()
    assert computer.export() == truth


@pytest.mark.requirement("COL-04")
def test_a_codex_session_copied_into_the_folder_of_every_code_is_counted_once(
    computer: Computer,
) -> None:
    codex = codex_session(1).inside(".code")
    codex.save(computer.home)
    computer.sync()
    assert computer.export() == {}
    codex.inside(".codex").save(computer.home)
    computer.sync()
    assert computer.export() == truth_of(codex)


@pytest.mark.requirement("COL-04", "COL-08")
def test_a_codex_session_moved_into_the_folder_of_every_code_keeps_what_it_was_counted_for(
    computer: Computer,
) -> None:
    codex = codex_session(1)
    path = codex.save(computer.home)
    computer.sync()
    target = computer.home / ".code/sessions/2026/08/10" / path.name
    target.parent.mkdir(parents=True)
    path.rename(target)
    assert "0 inserted, nothing to upload" in computer.sync().output
    assert computer.export() == truth_of(codex)


@pytest.mark.requirement("COL-01", "COL-04")
@pytest.mark.parametrize("kept", [0, 1, 40, 150, -1], ids="{} bytes".format)
def test_a_file_whose_first_line_is_not_written_yet_waits_for_its_source(
    kept: int, computer: Computer
) -> None:
    """Only the first line tells; the name of the file could be Codex's."""
    code = EveryCode(1).inside(".codex").meta()
    path = code.save(computer.home)
    first = path.read_bytes()
    assert len(first) > 200
    write(path, first[:kept])
    computer.sync()
    append(path, first[kept:] + code.naming(requested=CODE).turns(2).unsaved())
    computer.sync()
    assert computer.export() == truth_of(code)


@pytest.mark.requirement("COL-04", "COL-09")
@pytest.mark.parametrize("line", [b"", b"{", b"\0\0\0", b'{"type":"session_meta"'])
def test_the_first_session_meta_tells_whose_file_it_is_also_behind_a_broken_line(
    line: bytes, computer: Computer
) -> None:
    code = EveryCode(1).inside(".codex").raw(line).meta().naming(requested=CODE).turns(2)
    codex = Rollout(2).raw(line).meta().model(CODEX).turns(2)
    truth = save(computer.home, code, codex)
    computer.sync()
    assert computer.export() == truth


@pytest.mark.requirement("COL-04")
def test_the_first_of_two_session_metas_tells_whose_file_it_is(computer: Computer) -> None:
    """A copied history may begin with the first line of the other tool."""
    stranger, strange = Rollout(8).meta(), EveryCode(9).meta()
    code = EveryCode(1, "2026-08-10T11:00:00").inside(".codex").meta()
    codex = Rollout(2, "2026-08-10T11:00:00").meta()
    code.copy_head(stranger, lines=slice(None)).naming(requested=CODE).turns(2)
    codex.copy_head(strange, lines=slice(None)).model(CODEX).turns(2)
    truth = save(computer.home, code, codex)
    computer.sync()
    assert computer.export() == truth


@pytest.mark.requirement("COL-04")
def test_the_originator_is_found_in_any_spelling_and_in_a_compressed_file(
    computer: Computer,
) -> None:
    """Its name inside another field says nothing."""
    code = EveryCode(1).inside(".codex")
    code.spell = backwards
    code.meta(base_instructions={"originator": "codex_cli_rs"}).naming(requested=CODE).turns(2)
    codex = Rollout(2).meta(git={"originator": "code_cli_rs"}, cwd="/code_cli_rs").model(MINI)
    codex.turns(2)
    for session in (code, codex):
        compress(session.save(computer.home))
    computer.sync()
    assert computer.export() == truth_of(code, codex)


@pytest.mark.requirement("COL-04", "CLI-12")
def test_a_rebuild_gives_each_source_its_own_again(computer: Computer) -> None:
    parent = EveryCode(1).meta().task().turns(3)
    child = parent.fork(2, "11:00").copy_head(parent).turns(2)
    codex = codex_session(3)
    paths = [session.save(computer.home) for session in (parent, child, codex)]
    computer.sync()
    truth = truth_of(parent, child, codex)
    assert computer.export() == truth
    paths[0].unlink()
    computer.sync("--rebuild")
    assert computer.export() == truth


@pytest.mark.requirement("COL-04", "COL-10")
def test_equal_turns_of_two_fresh_sessions_and_of_codex_are_all_real(computer: Computer) -> None:
    sessions: list[Rollout] = [EveryCode(1).meta(), EveryCode(2).meta().inside(".codex")]
    for session in [*sessions, Rollout(3).meta().model(CODEX)]:
        session.usage(9_000, 8_000, 300, 100).save(computer.home)
    computer.sync()
    equal = Counters(9_000, 8_000, 300, 100, 9_300)
    assert computer.export() == {
        ("codex", CODEX, "2026-08-10T09:00:00Z"): equal,
        ("every-code", CODEX, "2026-08-10T09:00:00Z"): equal.plus(equal),
    }


@st.composite
def families(draw: st.DrawFn) -> list[EveryCode]:
    """Sessions and their forks, which copy a head of any length; in the order of their starts."""
    sessions: list[EveryCode] = []
    for number in range(1, draw(st.integers(2, 5)) + 1):
        at = f"2026-08-10T{8 + number:02}:14:00"
        parent = draw(st.sampled_from([None, *sessions]))
        if parent is None:
            session = EveryCode(number, at).meta()
        else:
            cut = draw(st.integers(2, len(parent.entries)))
            header = draw(st.integers(0, 1))  # with the first line of the parent, or without
            session = parent.fork(number, at).copy_head(parent, lines=slice(header, cut))
        sessions.append(session.turns(draw(st.integers(1, 3))))
    return sessions


@pytest.mark.requirement("COL-04", "COL-10", "BKF-08")
@given(families(), st.data())
def test_forks_count_once_in_whatever_order_they_and_their_parents_appear(
    sessions: list[EveryCode], data: st.DataObject
) -> None:
    with Computer.temporary() as computer:
        for session in data.draw(st.permutations(sessions)):
            session.save(computer.home)
            if data.draw(st.booleans()):
                computer.collect()
        computer.collect(rebuild=data.draw(st.booleans()))
        sums = {key[2]: its.total_tokens for key, its in computer.totals("every-code").items()}
        assert sum(sums.values()) == sum(its.total_tokens for its in truth_of(*sessions).values())

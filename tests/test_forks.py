"""Codex forks whose copied heads can only be told by what their parents wrote (sources.md, rule 6).

They were copied slowly, so that the time of a line does not tell. As long as the parent is unknown,
the copies count; when it appears, they do not any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rollouts import Rollout, append, archive, compress, replace, truth_of, write
from support import Computer, codex

import vibescore_codex
from vibescore import Identity, ParseContext
from vibescore.ledger import FILES_PER_BATCH as FILES
from vibescore.model import Usage
from vibescore_codex.records import Head

SLOWLY = timedelta(minutes=1)
Family = tuple[Rollout, Rollout]


@pytest.fixture
def family() -> Family:
    parent = Rollout(1).meta().model("gpt-5.2-codex").turns(4)
    child = parent.fork(2, "11:00").copy_head(parent, within=SLOWLY).model("gpt-5.1").turns(2)
    return parent, child


@pytest.mark.requirement("COL-03", "COL-10")
@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(Path.exists, id="nothing"),
        pytest.param(lambda path: append(path, b"{}\n"), id="it goes on"),
        pytest.param(lambda path: replace(path, path.read_bytes()), id="it is replaced"),
        pytest.param(lambda path: write(path, b"{}\n" + path.read_bytes()), id="it is rewritten"),
        pytest.param(lambda path: archive(path.parents[5], path), id="it is archived"),
        pytest.param(compress, id="it is compressed"),
    ],
)
def test_a_fork_is_counted_again_when_its_parent_appears_whatever_happens_to_it_meanwhile(
    happens: Callable[[Path], object], computer: Computer, family: Family
) -> None:
    parent, child = family
    path = child.save(computer.home)
    computer.sync()
    happens(path)
    parent.save(computer.home)
    computer.sync()
    assert computer.export() == truth_of(parent, child)


@pytest.mark.requirement("COL-03", "COL-10")
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_fork_is_counted_again_when_more_of_its_parent_appears(
    kept: float, computer: Computer, family: Family
) -> None:
    """As when logs are copied to another computer while it syncs."""
    parent, child = family
    child.save(computer.home)
    path = parent.save(computer.home)
    whole = path.read_bytes()
    write(path, whole[: int(len(whole) * kept)])
    computer.sync()
    write(path, whole)
    computer.sync()
    assert computer.export() == truth_of(parent, child)


@pytest.mark.requirement("COL-03", "COL-10")
@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize("kept", [0.2, 0.7, 1.0])
def test_forks_of_forks_are_counted_again_when_more_of_their_first_ancestor_appears(
    turns: int, kept: float, computer: Computer, family: Family
) -> None:
    """Also when the one between has, or is known to have, nothing of its own."""
    root, _ = family
    child = root.fork(3, "11:00").copy_head(root, within=SLOWLY).turns(turns)
    grandchild = child.fork(4, "13:00").copy_head(child, within=SLOWLY).turns(2)
    grandchild.save(computer.home)
    paths = [rollout.save(computer.home) for rollout in (root, child)]
    whole = [path.read_bytes() for path in paths]
    write(paths[0], whole[0][: len(whole[0]) // 2])
    write(paths[1], whole[1][: int(len(whole[1]) * kept)])
    computer.sync()
    for path, content in zip(paths, whole, strict=True):
        write(path, content)
    computer.sync()
    assert computer.export() == truth_of(root, child, grandchild)


@pytest.mark.requirement("COL-03", "COL-08")
def test_a_fork_is_counted_again_though_the_sync_that_read_more_of_its_parent_was_interrupted(
    computer: Computer, family: Family
) -> None:
    parent, child = family
    child.save(computer.home)
    path = parent.save(computer.home)
    whole = path.read_bytes()
    write(path, whole[: len(whole) // 2])
    computer.collect()
    write(path, whole)
    later = [Rollout(n, "2026-08-12T09:00:00").meta().turns(1) for n in range(10, 20 + FILES)]
    for rollout in later:
        rollout.save(computer.home)

    def parse(records: Iterable[Any], context: ParseContext) -> Iterable[Usage]:
        if context.key == later[-1].id:
            raise KeyboardInterrupt
        return vibescore_codex.vibescore_parse(records, context)

    with pytest.raises(KeyboardInterrupt):
        computer.collect([codex(parse=parse)])
    computer.collect()
    assert computer.totals() == truth_of(parent, child, *later)


@pytest.mark.requirement("COL-03", "COL-10")
def test_a_fork_is_counted_again_when_its_parent_is_rewritten_with_more(
    computer: Computer, family: Family
) -> None:
    parent, child = family
    child.save(computer.home)
    path = parent.save(computer.home)
    whole = path.read_bytes()
    write(path, whole[: len(whole) // 2])
    computer.sync()
    replace(path, b"{}\n" + whole)
    computer.sync()
    assert computer.export() == truth_of(parent, child)


@pytest.mark.requirement("COL-03", "COL-09")
def test_a_fork_is_counted_again_when_its_compressed_parent_is_whole_at_last(
    computer: Computer,
) -> None:
    parent = Rollout(1).meta().model("gpt-5.2-codex").turns(3_000)
    child = parent.fork(2, "2026-08-12T11:00:00").copy_head(parent, within=SLOWLY).turns(2)
    child.save(computer.home)
    path = compress(parent.save(computer.home))
    whole = path.read_bytes()
    write(path, whole[: len(whole) * 2 // 3])
    assert "cannot be read" in computer.sync().errors
    assert any(hour < "2026-08-12" for _, _, hour in computer.export())
    write(path, whole)
    computer.sync()
    assert computer.export() == truth_of(parent, child)


@pytest.mark.requirement("COL-03", "COL-10")
@pytest.mark.parametrize("resets", [1, 2, 5])
def test_a_fork_that_copied_only_what_came_after_resets_is_told_by_its_numbers(
    resets: int, computer: Computer
) -> None:
    parent = Rollout(1).meta().model("gpt-5.2-codex").turns(2)
    for _ in range(resets):
        parent.restart().turns(2)
    suffix = slice(-5, None)
    child = parent.fork(2, "11:00").copy_head(parent, lines=suffix, within=SLOWLY)
    child.model("gpt-5.1").turns(2)
    for rollout in (parent, child):
        rollout.save(computer.home)
    computer.sync()
    assert computer.export() == truth_of(parent, child)


@pytest.mark.requirement("COL-01", "COL-03")
def test_a_parent_that_goes_on_and_is_forked_while_files_are_looked_for_is_read_before_the_fork(
    computer: Computer,
) -> None:
    """Files are identified while they are looked for: here this is when the tool goes on."""
    parent = Rollout(1).meta().model("gpt-5.2-codex").turns(3)
    log = parent.save(computer.home)
    stranger = Rollout(2, "2026-08-10T10:00:00").meta().turns(1)
    (computer.home / ".codex/sessions/2026/08/11").mkdir()
    forks: list[Rollout] = []

    def identify(path: Path, head: Head | None) -> Identity | None:
        if stranger.id in path.name:
            parent.turns(2).append_to(log)
            forks.append(parent.fork(3, "2026-08-11T11:00:00").copy_head(parent).turns(1))
            forks[0].save(computer.home)
        return vibescore_codex.vibescore_identify(path, head)

    computer.collect()
    stranger.save(computer.home)
    computer.collect([codex(identify=identify)])
    computer.collect()
    assert computer.totals() == truth_of(parent, stranger, *forks)
    assert computer.query("SELECT COUNT(*) FROM file") == [(3,)]

"""Tools that go on writing, in processes of their own, while they are read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from rollouts import Chat, Rollout, Truth, lines, truth_of, write
from support import Computer

APPEND = """
import os, sys
content, target = open(sys.argv[1], "rb").read(), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)
at, size, steps = 0, 1, 0
while at < len(content):
    at += os.write(target, content[at : at + size])
    size, steps = size * 7 % 997 + 1, steps + 1
    if steps % 100 == 0 and not os.read(0, 1):
        break
"""
"""Small writes that end anywhere; after each hundred of them it waits for a byte to go on."""


@contextmanager
def appending(content: bytes, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that appends to a file, as fast as it is let."""
    with NamedTemporaryFile() as rest:
        rest.write(content)
        rest.flush()
        arguments = [sys.executable, "-c", APPEND, rest.name, str(path)]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, bufsize=0) as writer:
            yield writer


def let_go_on(writer: subprocess.Popen[bytes]) -> bool:
    """Whether there is more to write."""
    assert writer.stdin
    try:
        writer.stdin.write(b".")
    except BrokenPipeError:
        assert writer.wait() == 0
        return False
    return True


def logs(home: Path) -> tuple[dict[Path, bytes], Truth]:
    """A session, its fork and a chat, each begun: what is still to be written, and the truth."""
    text = "token_count größer ✓ " * 20
    parent = Rollout(1).meta().model("gpt-5.1").turns(20)
    child = parent.fork(2, "2026-08-10T11:00:00").copy_head(parent)
    chat = Chat(3)
    paths = [parent.save(home), child.save(home), chat.path(home, ending=".jsonl")]
    write(paths[2], lines([chat.header()]))
    for turn in range(200):
        parent.say(text).turns(1)
        child.say(text).turns(1)
        chat.write(f"t{turn}", content=text).answer(f"m{turn}", 10 + turn, 2, 3, 4, 5)
    rest = [parent.unsaved(), child.unsaved(), lines(chat.messages.values())]
    return dict(zip(paths, rest, strict=True)), truth_of(parent, child, chat)


@pytest.mark.requirement("COL-01", "COL-08", "COL-10")
def test_logs_that_grow_while_they_are_read_are_counted_exactly(computer: Computer) -> None:
    rest, truth = logs(computer.home)
    sums = [0]
    with ExitStack() as stack:
        writers = [stack.enter_context(appending(its, path)) for path, its in rest.items()]
        while writers := [writer for writer in writers if let_go_on(writer)]:
            computer.sync()
            sums.append(sum(row.total_tokens for row in computer.export().values()))
    computer.sync()
    assert computer.export() == truth
    assert sums == sorted(sums)
    assert len(set(sums)) > 3

"""A process that dies at one of its commits, without a process of its own: for many histories in a
short time. `mortal` does the same with real ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


@contextmanager
def dying(commit: int) -> Iterator[type[BaseException]]:
    """What is raised right before that commit (from 1), be it told or implied; nothing that comes
    after it is done.
    """

    class Gone(BaseException):
        pass

    commits = 0

    class Mortal(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            nonlocal commits
            if sql == "COMMIT" or (not self.in_transaction and sql.startswith(WRITES)):
                commits += 1
            if commits >= commit and sql != "ROLLBACK":
                raise Gone
            return super().execute(sql, *parameters)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Mortal))
        yield Gone

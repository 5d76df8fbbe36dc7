"""Computers on which tools are used and which sync with one server, all of them at the same time,
and what the server has to have of them in the end.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from copy import copy
from itertools import chain, count
from pathlib import Path
from uuid import UUID

import httpx
from corpus import (
    DAY,
    HALF_HOUR,
    LINE_HEAD,
    SECOND,
    STYLES,
    ChatStore,
    Session,
    Stock,
    Truth,
    Written,
    chat,
    made,
)
from fleet import Fleet, Ran
from measure import BenchError
from population import COUNTERS

from vibescore.client import Client
from vibescore.link import Link, save_link
from vibescore.linking import Token

TURNS = 4
"""Between two syncs."""

PATIENCE = 300.0  # seconds
PASSWORD = "correct horse battery staple"  # noqa: S105
NO_TIME = re.compile(r"\(HTTP (429|503)\)|asked for no upload before")
"""What a sync says that the server had no time for."""

Rows = dict[tuple[str, UUID, str, str, str], tuple[int, ...]]
"""By user, device, source, model and half-hour: five counters. No rows of zeros."""


class Computer:
    """A computer on which Codex and Gemini CLI are used, linked to a server by its user."""

    def __init__(self, home: Path, email: str, link: Link, stock: Stock) -> None:
        save_link(made(home / ".vibescore"), link)
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        self._owner = (email, UUID(link.device_id))
        self._stock = stock
        self._numbers = count()
        start = int(time.time()) * SECOND - 14 * DAY + stock.rng.randrange(DAY)
        self._session = Session(stock, next(self._numbers), start)
        self._session.begin()
        self._rollout = made(home / ".codex/sessions") / f"rollout-{self._session.id}.jsonl"
        self._chats = ChatStore(home, Written())

    def work(self) -> None:
        """Use tokens in the half-hours that follow, and log them as the tools do: Codex goes on in
        its file, Gemini CLI begins another.
        """
        for _ in range(TURNS):
            self._session.at += self._stock.rng.randrange(HALF_HOUR)
            self._session.turn(2)
        self._append()
        talk = chat(self._stock, next(self._numbers), self._session.at, TURNS)
        self._chats.save(talk, form=1)

    def _append(self) -> None:
        stamps, tails = self._session.stamps, self._session.tails
        with self._rollout.open("ab") as file:
            file.writelines(LINE_HEAD + at + line for at, line in zip(stamps, tails, strict=True))
        stamps.clear()
        tails.clear()

    @property
    def rows(self) -> Rows:
        """What the server has to have of it."""
        return {
            (*self._owner, str(row["source"]), str(row["model"]), str(row["hour_start"])): tuple(
                int(row[name]) for name in COUNTERS
            )
            for row in self._stock.truth.rows()
        }


class Crowd:
    """Computers that do everything at the same time."""

    def __init__(self, fleet: Fleet, computers: Sequence[Computer]) -> None:
        self._fleet = fleet
        self._computers = computers

    def work(self) -> None:
        for computer in self._computers:
            computer.work()

    def sync(self) -> list[Ran]:
        """Sync by hand. Raises BenchError when that fails for another reason than that the server
        had no time for it.
        """
        ended = self._run("sync")
        for ran in ended:
            if ran.code and not NO_TIME.search(ran.errors):
                raise BenchError(f"A sync ended with {ran.code}: {ran.errors or ran.output}")
        return ended

    def settle(self) -> None:
        """Sync until everything is sent. Raises BenchError when that does not come to an end, and
        when anybody is left with a problem.
        """
        until = time.monotonic() + PATIENCE
        while any(ran.code for ran in self.sync()):
            if time.monotonic() > until:
                raise BenchError(f"Rows still wait to be sent after {PATIENCE:g} seconds")
            time.sleep(1)
        for ran in self._run("status", "--diagnostics"):
            told = json.loads(ran.output)
            names = ("pending_rows", "refused_rows", "upload_problem", "problems")
            if left := {name: told[name] for name in names if told[name]}:
                raise BenchError(f"After its last sync a computer is left with {left}")

    @property
    def one(self) -> Crowd:
        """The first of them."""
        return Crowd(self._fleet, self._computers[:1])

    @property
    def rows(self) -> Rows:
        return dict(chain.from_iterable(each.rows.items() for each in self._computers))

    def _run(self, *arguments: str) -> list[Ran]:
        return self._fleet.run([each.environment for each in self._computers], *arguments)


def signed_up(server: str, email: str) -> str:
    """The access token of a new user."""
    entry = {"email": email, "password": PASSWORD}
    answer = httpx.post(f"{server}/api/auth/users", json=entry).raise_for_status()
    token: str = answer.json()["accessToken"]
    return token


def linked(server: str, owners: Sequence[int], folder: Path) -> Iterator[Computer]:
    """A computer for each entry, the number of its user, who signs up."""
    stock, tokens = Stock(STYLES["many"], random.Random("stock"), Truth()), dict[str, str]()
    for number, owner in enumerate(owners):
        email = f"user-{owner}@example.org"
        if email not in tokens:
            tokens[email] = signed_up(server, email)
        with Client.open(server, tokens[email]) as client:
            named = {"device_name": f"computer {number}", "platform": "linux"}
            device = client.post("device-token-issue", named, Token)
        own = copy(stock)
        own.rng, own.truth = random.Random(number), Truth()
        link = Link(server, device.device_id, device.token)
        yield Computer(folder / f"home-{number}", email, link, own)

"""A computer that is linked to a server of the test's own, and time that passes when told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from backend import DEVICE, TOKEN, Backend
from rollouts import Truth, append, moment
from support import NOW, Computer
from toy import toy

from vibescore.client import Client
from vibescore.link import Link, save_link
from vibescore.plugins import Plugin
from vibescore.throttle import Effort, Errand, Pace, errand, next_auto
from vibescore.upload import Clock, Sent, deliver, pace_of

MIDNIGHT = moment("2026-08-10T00:00:00")


@dataclass
class Hands:
    """The hands of a clock: sleeping moves them, and is noted."""

    now: float = NOW
    slept: list[float] = field(default_factory=list)
    lot: float = 0.5

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self._sleep, lambda: self.lot)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Desk:
    """A computer with a made-up tool, its server, and its link there."""

    computer: Computer
    backend: Backend
    hands: Hands = field(default_factory=Hands)
    token: str = TOKEN
    timeout: float = 20.0
    plugins: list[Plugin] = field(default_factory=lambda: [toy()])

    def __post_init__(self) -> None:
        self.backend.stored.setdefault(self.token, {})
        self.backend.now = lambda: self.hands.now

    @property
    def link(self) -> Link:
        return Link(self.backend.url, DEVICE, self.token)

    def save_link(self) -> None:
        """Link also the installed program."""
        self.computer.own.mkdir(mode=0o700, exist_ok=True)
        save_link(self.computer.own, self.link)

    def spend(self, half_hours: int, tokens: int = 1, *, start: int = 0, log: str = "log") -> None:
        """The made-up tool uses tokens in so many half-hours in a row."""
        path = self.computer.home / "toy" / f"{log}.log"
        path.parent.mkdir(exist_ok=True)
        known = path.read_bytes().count(b"\n") if path.exists() else 0
        for number in range(half_hours):
            at = (MIDNIGHT + timedelta(minutes=30 * (start + number))).timestamp()
            record = {"id": f"{log}-{known + number}", "tokens": tokens, "at": at}
            append(path, json.dumps(record).encode() + b"\n")

    def collect(self) -> None:
        self.computer.collect(self.plugins, now=self.hands.now)

    def deliver(self, effort: Effort = Effort.MANUAL, *, url: str | None = None) -> Sent:
        """Do the errand at the server, whether or not it is time."""
        with (
            self.computer.opened() as store,
            Client.open(
                url or self.backend.url,
                self.token,
                timeout=self.timeout,
                now=lambda: self.hands.now,
            ) as client,
        ):
            return deliver(
                store,
                client,
                self.link.key,
                effort,
                reconcile=self.collect,
                clock=self.hands.clock,
            )

    def sync(self, effort: Effort = Effort.MANUAL) -> Sent:
        """Collect, and do the errand if it is time."""
        self.collect()
        if self.errand(effort) in (Errand.UPLOAD, Errand.HEARTBEAT):
            return self.deliver(effort)
        return Sent()

    def errand(self, effort: Effort = Effort.MANUAL) -> Errand:
        """What there is to do now."""
        rows = len(self.computer.pending())
        return errand(self.pace, self.hands.now, rows=rows, effort=effort)

    @property
    def pace(self) -> Pace:
        with self.computer.opened() as store:
            return pace_of(store, self.link.key)

    @property
    def next_auto(self) -> float:
        """Seconds until an automatic sync may upload."""
        return next_auto(self.pace, self.hands.now) - self.hands.now

    def truth(self) -> Truth:
        """What the computer knows; what the server has to have in the end."""
        return self.computer.totals()


@contextmanager
def desk_at(computer: Computer) -> Iterator[Desk]:
    """That computer, linked to a server that runs until the block ends."""
    with Backend.running() as backend:
        yield Desk(computer, backend)

"""Whatever happens between a computer and its server, in whatever order: in the end the server has
exactly what was spent (QUE-02, QUE-11, BKF-06, COL-10).

Histories of two computers of one person: their tools write, they sync by hand and by themselves,
the server loses its answers, is down or busy, batches are refused, a process dies at one of its
commits, a store is lost, time passes. Real logs, real stores, a real socket.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from backend import Act, Backend, hangs_up, loses_the_answer, says, stores_and_says
from dying import dying
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from linked import Desk, Hands
from rollouts import Truth
from sessions import PLACES, Log, Session, expected_rows, sessions
from support import Computer, installed_plugins

from vibescore.errors import UploadError
from vibescore.throttle import Effort, Errand

EXAMPLES = int(os.environ.get("VIBESCORE_TEST_HISTORIES", "60"))
STEPS = 40
IN_MEMORY = next((place for place in ("/dev/shm",) if os.access(place, os.W_OK)), None)
"""Stores are written so often that a disk would take most of the time."""

ACTS: dict[str, Act] = {
    "busy": says(503),
    "busy for a minute": says(429, retry_after="60"),
    "busy for hours": says(503, retry_after="7200"),
    "broken": says(500),
    "gone": hangs_up,
    "loses its answer": loses_the_answer,
    "answers nonsense": stores_and_says(b"<html>"),
    "too large": says(413),
    "refuses": says(403),
}

acts = st.lists(st.sampled_from(sorted(ACTS)), min_size=1, max_size=4)
numbers = st.lists(st.integers(0, 9), max_size=5)
unnamed = st.builds(Session, st.just("every-code"), st.none(), PLACES, st.integers(1, 99))
computers = st.sampled_from(["laptop", "desktop"])
efforts = st.sampled_from([Effort.AUTO, Effort.AUTO, Effort.MANUAL, Effort.DRAIN])


class Life:
    """A computer, its server, and what was really spent on it."""

    def __init__(self, name: str, folder: Path, backend: Backend, hands: Hands) -> None:
        computer = Computer(folder / name)
        computer.home.mkdir()
        self.desk = Desk(computer, backend, hands, name * 8, plugins=list(installed_plugins()))
        self.logs: list[Log] = []

    def spend(self, begun: Iterable[Session], numbers: Iterable[int]) -> None:
        """Sessions begin, and some go on, each with one response."""
        for session in begun:
            self.logs.append(Log(len(self.logs) + 1, session))
            self.logs[-1].advance(self.desk.computer)
        for number in numbers:
            log = self.logs[number % len(self.logs)]
            if not log.has_ended:
                log.advance(self.desk.computer)

    @property
    def expected(self) -> Truth:
        """What follows from all that was spent so far."""
        return expected_rows(
            log.session._replace(half_hours=log.session.half_hours[: log.responses])
            for log in self.logs
        )

    def sync(self, effort: Effort) -> None:
        """Collect, then do the errand if it is time: not once earlier than allowed."""
        self.desk.collect()
        held = self.desk.errand(effort) in (Errand.WAIT, Errand.NOTHING)
        before = len(self.desk.backend.requests)
        with suppress(UploadError):
            self.desk.sync(effort)
        assert not (held and len(self.desk.backend.requests) > before)


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(tempfile.mkdtemp(prefix="vibescore-test-", dir=IN_MEMORY))
        self._stack.callback(shutil.rmtree, folder)
        self.backend = self._stack.enter_context(Backend.running())
        self.hands = Hands()
        self.lives = {
            name: Life(name, folder, self.backend, self.hands) for name in ("laptop", "desktop")
        }

    def teardown(self) -> None:
        """In the end all goes well, and the server has what was spent."""
        try:
            self.backend.script.clear()
            self.hands.now += 8 * 86_400
            for life in self.lives.values():
                life.sync(Effort.DRAIN)
                assert life.desk.backend.rows(life.desk.token) == life.expected
                assert life.desk.computer.pending() == {}
        finally:
            self._stack.close()

    @initialize(unnamed=st.lists(unnamed, min_size=1, max_size=3))
    def there_are_uploads_without_a_model(self, unnamed: list[Session]) -> None:
        for life in self.lives.values():
            life.spend(unnamed, range(2))
            life.sync(Effort.MANUAL)

    @rule(name=computers, begun=st.lists(sessions, min_size=1, max_size=4), numbers=numbers)
    def tools_are_used(self, name: str, begun: list[Session], numbers: list[int]) -> None:
        self.lives[name].spend(begun, numbers)

    @rule(name=computers, effort=efforts)
    def it_syncs(self, name: str, effort: Effort) -> None:
        self.lives[name].sync(effort)

    @rule(name=computers, effort=efforts, trouble=acts)
    def it_syncs_in_trouble(self, name: str, effort: Effort, trouble: list[str]) -> None:
        self.backend.does(*(ACTS[act] for act in trouble))
        self.lives[name].sync(effort)
        self.backend.script.clear()

    @rule(name=computers, effort=efforts, commit=st.integers(1, 9))
    def it_dies_in_a_sync(self, name: str, effort: Effort, commit: int) -> None:
        with dying(commit) as gone, suppress(gone):
            self.lives[name].sync(effort)

    @rule(name=computers)
    def its_store_is_lost(self, name: str) -> None:
        for path in self.lives[name].desk.computer.own.glob("vibescore.db*"):
            path.unlink()

    @rule(minutes=st.sampled_from([1, 10, 31, 125]))
    def time_passes(self, minutes: int) -> None:
        self.hands.now += 60 * minutes

    @invariant()
    def what_the_server_has_of_a_half_hour_was_really_spent(self) -> None:
        for life in self.lives.values():
            sent = _by_slot(life.desk.backend.rows(life.desk.token))
            spent = _by_slot(life.expected)
            assert all(total <= spent[slot] for slot, total in sent.items())


def _by_slot(rows: Truth) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for (source, _, hour), counters in rows.items():
        sums[source, hour] = sums.get((source, hour), 0) + counters.total_tokens
    return sums


@pytest.mark.requirement("QUE-02", "QUE-03", "QUE-05", "QUE-11", "BKF-04", "BKF-06", "COL-08")
def test_after_any_history_the_server_has_what_was_spent() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
        ),
    )

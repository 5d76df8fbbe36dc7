"""Any history of sessions of Codex and Every Code: their logs, grown response by response, and the
rows that have to come of them, found by trying every half-hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from hypothesis import strategies as st
from rollouts import UNKNOWN, Counters, EveryCode, Rollout, Truth, append, half_hour, moment
from support import Computer

A, B = "gpt-5.1", "gpt-5.2-codex"
DAY = "2026-08-10T"
START = moment(f"{DAY}00:00:00")


class Session(NamedTuple):
    """Tokens that one session spends in these half-hours, one response in each."""

    source: str
    model: str | None
    half_hours: tuple[int, ...]
    tokens: int


PLACES = st.lists(st.integers(0, 9), min_size=1, max_size=3).map(lambda its: tuple(sorted(its)))

sessions = st.builds(
    Session,
    st.sampled_from(["codex", "every-code", "every-code"]),
    st.sampled_from([None, None, A, B]),
    PLACES,
    st.integers(1, 99),
)


def hour_of(place: int) -> str:
    return half_hour(START + place * timedelta(minutes=30))


def expected_rows(spent: Iterable[Session]) -> Truth:
    """What has to be published in the end, by trying every half-hour of Codex."""
    sums: dict[tuple[str, int], dict[str, int]] = {}
    for session in spent:
        for place in session.half_hours:
            slot = sums.setdefault((session.source, place), {})
            name = session.model or UNKNOWN
            slot[name] = slot.get(name, 0) + session.tokens
    rows: Truth = {}
    for (source, place), by_model in sums.items():
        for name, tokens in by_model.items():
            model = expected_model(sums, source, place) if name == UNKNOWN else name
            key = (source, model, hour_of(place))
            rows[key] = rows.get(key, Counters()).plus(Counters(tokens, 0, 0, 0, tokens))
    return dict(sorted(rows.items()))


def expected_model(
    sums: Mapping[tuple[str, int], Mapping[str, int]], source: str, place: int
) -> str:
    own = largest(sums[source, place])
    places = [its for its_source, its in sums if its_source == "codex"]
    if own != UNKNOWN or source != "every-code" or not places:
        return own
    _, nearest = min((abs(its - place), its) for its in places)
    return largest(sums["codex", nearest])


def largest(by_model: Mapping[str, int]) -> str:
    known = {name: tokens for name, tokens in by_model.items() if name != UNKNOWN}
    return min(known, key=lambda name: (-known[name], name), default=UNKNOWN)


class Log:
    """The log of a session, response by response."""

    def __init__(self, number: int, session: Session) -> None:
        start = f"{START + session.half_hours[0] * timedelta(minutes=30):%Y-%m-%dT%H:%M:%S}"
        kind = {"codex": Rollout, "every-code": EveryCode}[session.source]
        self.rollout = kind(number, start).meta()
        if session.model:
            self.rollout.model(session.model)
        self.session, self.responses = session, 0

    @property
    def has_ended(self) -> bool:
        return self.responses == len(self.session.half_hours)

    def advance(self, computer: Computer) -> None:
        """The next response is written."""
        place = self.session.half_hours[self.responses]
        at = START + place * timedelta(minutes=30) + timedelta(minutes=1 + self.responses)
        fresh = self.rollout.usage(self.session.tokens, 0, 0, 0, at=f"{at:%Y-%m-%dT%H:%M:%S}")
        folder = computer.home / self.rollout.tree / f"{self.rollout.local:sessions/%Y/%m/%d}"
        folder.mkdir(parents=True, exist_ok=True)
        append(folder / self.rollout.name, fresh.unsaved())
        self.responses += 1

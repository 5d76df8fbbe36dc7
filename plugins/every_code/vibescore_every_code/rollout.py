"""Telling apart what a session used and what it copied from one that it does not name.

Going back in Every Code starts a new rollout, into which everything up to that point is written
again in one go. What was copied keeps its submission ``id`` and ``event_seq``, its running total
and its step: its *name*. Equal names alone prove nothing, because equal turns are real, and nor
does a single event right after the start, because models can be quick; both together do, and so do
two events within the first two seconds.
"""

from collections.abc import Iterator

from vibescore import Copy, Mark, UsageEvent
from vibescore_codex import rollout as codex
from vibescore_codex.records import Record, Vector

Name = tuple[str | None, int | None, Vector, Vector | None]
EarlyId = tuple[str, Name]


class State(codex.State):
    """Beside Codex's: when the last event was ``copied`` from a session that is not named (UTC
    seconds), and the name of the first event if that came too early to be told from a copy.
    """

    copied: float | None = None
    too_early: Name | None = None


class Rollout(codex.Rollout):
    """Reads the records of one session of Every Code, in their order."""

    _state: State

    def _own(self, record: Record, event: UsageEvent, id: codex.Id) -> Iterator[codex.Usage]:
        """The event, unless it is a copy; its name is marked for the forks to come."""
        name = _name(record, id)
        linked = self._lineage or self._state.own_from is not None
        own = super()._own(record, event, id) if linked else self._in_head(event, name)
        for usage in own:
            yield usage
            if usage is event:
                yield Mark(name)
                if self._context.seen(_early(name)):
                    yield Copy(_early(name))

    def _in_head(self, event: UsageEvent, name: Name) -> Iterator[codex.Usage]:
        """The event, unless it is in a copied head."""
        state = self._state
        repeats = self._goes_on_copying(event.at) and self._context.seen(name)
        if state.own or not (self._is_early() or repeats):
            state.own = True
            yield event
        elif repeats or state.copied or state.too_early:
            if state.too_early and not (repeats or state.copied):
                yield Copy(_early(state.too_early))  # the session it was used in is not known
            state.copied = event.at
        else:
            state.too_early = name
            yield UsageEvent(_early(name), event.at, event.model, event.tokens)

    def _goes_on_copying(self, at: float) -> bool:
        """Whether an event follows the start, or the last copy, without a pause."""
        if self._state.copied is None:
            return self._is_early()
        return at <= self._state.copied + codex.COPYING_SECONDS


def _name(record: Record, id: codex.Id) -> Name:
    """What copies of an event have in common."""
    _, total, step, _ = id
    payload = record.payload
    if payload is None:
        return None, None, total, step
    return payload.id, payload.event_seq, total, step


def _early(name: Name) -> EarlyId:
    """The id of an event of which nobody can say yet in which session it was used: it counts once
    for all of them, until one shows it at another time than its start.
    """
    return "early", name

"""Telling apart what a session used and what it copied from one that it does not name.

Going back in Every Code starts a new rollout, into which everything up to that point is written
again within a second or two. What was copied keeps its submission ``id`` and ``event_seq``, its
running total and its step: its *name*. Equal numbers alone prove nothing, because equal turns are
real; a name met before proves a copy when it comes right at the start of the rollout, or twice in
a row.
"""

from collections.abc import Iterator

from vibescore import Copy, Mark, UsageEvent
from vibescore_codex import rollout as codex
from vibescore_codex.records import Record, Vector

Name = tuple[str | None, int | None, Vector, Vector | None]
EarlyId = tuple[str, Name]


class State(codex.State):
    """Beside Codex's: whether the head of the rollout is ``copied`` from a session that it does
    not name, and the name of its first event if that came too early to be told from a copy.
    """

    copied: bool = False
    too_early: Name | None = None


class Rollout(codex.Rollout):
    """Reads the records of one session of Every Code, in their order."""

    _state: State

    def _own(self, record: Record, event: UsageEvent, id: codex.Id) -> Iterator[codex.Usage]:
        """The event, unless it is a copy; its name is marked for the forks to come."""
        name = _name(record, id)
        linked = self._lineage or self._state.own_from is not None
        own = super()._own(record, event, id) if linked else self._in_head(event, id, name)
        for usage in own:
            yield usage
            if usage is event:
                yield Mark(name)
                if self._context.seen(_early(name)):
                    yield Copy(_early(name))

    def _in_head(self, event: UsageEvent, id: codex.Id, name: Name) -> Iterator[codex.Usage]:
        """The event, unless it is in a copied head."""
        state, seen = self._state, self._context.seen
        early = self._is_early()
        repeats = not state.own and seen(name) and not seen(id)
        if state.own or not (early or repeats):
            state.own = True
            yield event
        elif state.copied:
            return
        elif state.unproven or state.too_early:
            state.copied = True
            yield from self._first_was_copied(known=repeats)
        elif not repeats:
            state.too_early = name
            yield UsageEvent(_early(name), event.at, event.model, event.tokens)
        elif early:
            state.copied = True
        else:
            state.unproven = id
            yield event

    def _first_was_copied(self, *, known: bool) -> Iterator[Copy]:
        """Takes back the first event of a head that turned out to be copied; one that came too
        early counts for the whole family once its members are ``known``.
        """
        state = self._state
        if state.unproven:
            yield Copy(state.unproven)
        elif state.too_early and not known:
            yield Copy(_early(state.too_early))


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

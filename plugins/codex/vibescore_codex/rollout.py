"""Counting a rollout (sources.md, chapter 1, rules 1 to 8)."""

from collections.abc import Iterable, Iterator
from operator import ge

from msgspec import Struct

from vibescore import Copy, Mark, ParseContext, TokenTotals, UsageEvent, utc_seconds
from vibescore_codex.records import Counters, Payload, Record, Vector

COPYING_SECONDS = 2.0
RESETS_TRIED = 64

Usage = UsageEvent | Copy | Mark
Id = tuple[str, Vector, Vector | None, int]

KNOWN_TYPES = {
    "session_meta",
    "turn_context",
    "response_item",
    "compacted",
    "event_msg",
    "event",
    "token_usage_record",
    "",
}


class State(Struct):
    """What is remembered between two records of a rollout.

    ``total`` is the last running total, ``resets`` how often it fell, ``model`` the model in use,
    ``at`` the time of the last record. The rest serves to tell a copied head (rule 6): when the
    session ``started``, the ``sessions`` named by its ``session_meta`` records, the first ordinal
    that is its own, how many events came within two seconds of the start, and the one of them that
    was counted before copying showed. ``own`` turns true when the head has ended.
    """

    total: Vector | None = None
    resets: int = 0
    model: str | None = None
    at: float | None = None
    started: float | None = None
    sessions: list[str] = []
    forked: bool = False
    own_from: int | None = None
    early: int = 0
    unproven: Id | None = None
    own: bool = False


class Rollout:
    """Reads the records of one session, in their order."""

    def __init__(self, context: ParseContext) -> None:
        self._context = context
        self._state: State = context.state
        self._lineage: tuple[str, ...] = ()
        self._learn_lineage()

    def usage(self, records: Iterable[Record]) -> Iterator[Usage]:
        """What the session itself used."""
        for record in records:
            yield from self._read(record)

    def _read(self, record: Record) -> Iterator[Usage]:
        state, payload = self._state, record.payload
        at = utc_seconds(record.timestamp)
        state.at = state.at if at is None else at
        if payload is None:
            return
        message = payload.msg or payload
        if message.type == "token_count":
            if message.info is not None:
                info = message.info
                if info.requested_model or info.latest_response_model:
                    self._named(info.requested_model, info.latest_response_model)
                yield from self._usage(record, info.total_token_usage, info.last_token_usage)
        elif "token_usage_record" in (message.type, record.type):
            yield from self._usage(record, payload.thread_token_usage, payload.usage)
        elif record.type == "session_meta":
            self._session(payload)
        elif record.type == "turn_context" or message.type == "session_configured":
            self._named(message.model)
        elif message.type == "thread_settings_applied" and payload.thread_settings:
            self._named(payload.thread_settings.model)
        elif record.type not in KNOWN_TYPES:
            self._context.skip("unknown record type")

    def _named(self, *names: str | None) -> None:
        """The model from now on: the first that is named."""
        self._state.model = next(filter(str.strip, filter(None, names)), self._state.model)

    def _session(self, meta: Payload) -> None:
        state = self._state
        if not state.sessions:
            state.started = state.at if state.at is not None else utc_seconds(meta.timestamp)
            state.forked = meta.forked_from_id is not None
            state.own_from = meta.subagent_history_start_ordinal
        if meta.id and meta.id not in state.sessions:
            state.sessions.append(meta.id)
            self._learn_lineage()

    def _learn_lineage(self) -> None:
        """The known ancestors, and sessions whose head was copied without a link to them."""
        self._lineage = (*self._context.ancestors, *self._unlinked)

    def _usage(
        self, record: Record, total: Counters | None, last: Counters | None
    ) -> Iterator[Usage]:
        """The usage of one model response, given the session's running total and that of the
        response.
        """
        state = self._state
        now = total.vector if total else _plus(state.total, last)
        if now is None or now == state.total:
            return
        step = last.vector if last else None
        before, state.total = state.total, now
        if before is not None and not all(map(ge, now, before)):
            state.resets += 1
            before = None
        used = step or _minus(now, before)
        if not any(used[:4]):
            return
        if state.at is None:
            self._context.skip("no time")
            return
        id = (self._context.key, now, step, state.resets)
        yield from self._own(record, UsageEvent(id, state.at, state.model, _tokens(used)), id)

    def _own(self, record: Record, event: UsageEvent, id: Id) -> Iterator[Usage]:
        """The event, unless it repeats an ancestor's (rule 6)."""
        state = self._state
        if state.own_from is not None and record.ordinal is not None:
            if record.ordinal >= state.own_from:
                yield event
            return
        if state.own or not self._lineage:
            yield event
            return
        early = self._is_early()
        state.early += early
        if state.forked or len(state.sessions) > 1 or state.early > 1:
            yield from self._in_copied_head(event, id, early=early)
        else:
            state.own, state.unproven = not early, id
            yield event

    def _in_copied_head(self, event: UsageEvent, id: Id, *, early: bool) -> Iterator[Usage]:
        """Copies count nothing, up to the first event that is none; one counted before copying
        showed is taken back.
        """
        state = self._state
        first, state.unproven = state.unproven, None
        if first is not None and self._repeats(first, early=True):
            yield Copy(first)
            first = None
        state.own = first is not None or not self._repeats(id, early=early)
        if state.own:
            yield event
        elif self._context.seen(id):
            yield Copy(id)  # an earlier reading, which knew less of the ancestors, counted it

    def _is_early(self) -> bool:
        started, at = self._state.started, self._state.at
        return started is not None and at is not None and at <= started + COPYING_SECONDS

    def _repeats(self, id: Id, *, early: bool) -> bool:
        if early and not self._complete:
            return True
        _, total, last, resets = id
        tries = (resets, *(other for other in range(RESETS_TRIED) if other != resets))
        seen = self._context.seen
        return any(seen((key, total, last, other)) for other in tries for key in self._lineage)

    @property
    def _unlinked(self) -> list[str]:
        known = (self._context.key, *self._context.ancestors)
        return [session for session in self._state.sessions if session not in known]

    @property
    def _complete(self) -> bool:
        return self._context.complete and not self._unlinked


def _plus(total: Vector | None, last: Counters | None) -> Vector | None:
    if last is None:
        return None
    if total is None:
        return last.vector
    a, b, c, d, e = (old + new for old, new in zip(total, last.vector, strict=True))
    return a, b, c, d, e


def _minus(total: Vector, before: Vector | None) -> Vector:
    if before is None:
        return total
    a, b, c, d, e = (new - old for new, old in zip(total, before, strict=True))
    return a, b, c, d, e


def _tokens(used: Vector) -> TokenTotals:
    """Whatever total the log gives."""
    input_tokens, cached, output, reasoning, _ = used
    return TokenTotals.normal(
        input=input_tokens, cached_input=cached, output=output, reasoning_output=reasoning
    )

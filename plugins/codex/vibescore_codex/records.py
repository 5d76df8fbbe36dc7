"""The records of a rollout: their fields are all that is ever decoded (COL-02).

Every Code writes the same records in an envelope of its own and may continue a Codex rollout, so
both forms are read here (sources.md, chapters 1 and 2).
"""

from typing import Annotated

from msgspec import Meta, Struct

SKIP = (
    rb'\{"timestamp":"(?P<timestamp>\d{4}-[^"\\]*+)",(?:"ordinal":\d++,)?+"type":"'
    rb'(?:response_item"|compacted"'
    rb'|event_msg","payload":\{"type":"(?!token_|thread_settings)[a-z_]++"'
    rb'|event","payload":\{"id":"[^"\\]*+","event_seq":\d++,(?:"order":(?:null|\{[^{}]*+\}),)?+'
    rb'"msg":\{"type":"(?!token_|session_configured)[a-z_]++")'
)
"""The beginning of lines without usage and without a model, as the tools spell them. Nothing in it
ever has to be tried twice, hence ``+`` behind every repeat.
"""

Vector = tuple[int, int, int, int, int]
"""Input, cached input, output, reasoning output and total tokens."""


Count = Annotated[int, Meta(ge=-(2**48), le=2**48)]
"""A number that can be kept: one that is larger makes the record malformed."""


class Counters(Struct, frozen=True):
    """Token usage; older builds name the cached input differently."""

    input_tokens: Count | None = None
    cached_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    output_tokens: Count | None = None
    reasoning_output_tokens: Count | None = None
    total_tokens: Count | None = None

    @property
    def vector(self) -> Vector:
        """The counters in normal form; without a total it is input + output (rule 5)."""
        input_tokens, output = self.input_tokens or 0, self.output_tokens or 0
        cached = self.cached_input_tokens or self.cache_read_input_tokens or 0
        reasoning = self.reasoning_output_tokens or 0
        total = self.total_tokens or input_tokens + output
        if 0 <= cached <= input_tokens and 0 <= reasoning <= output:
            return input_tokens, cached, output, reasoning, total
        input_tokens, output = max(input_tokens, 0), max(output, 0)
        cached = min(max(cached, 0), input_tokens)
        return input_tokens, cached, output, min(max(reasoning, 0), output), max(total, 0)


class Info(Struct, frozen=True):
    """Usage of a ``token_count``; only Every Code names the model here."""

    total_token_usage: Counters | None = None
    last_token_usage: Counters | None = None
    requested_model: str | None = None
    latest_response_model: str | None = None


class ThreadSettings(Struct, frozen=True):
    model: str | None = None


class Message(Struct, frozen=True):
    """An event: inside ``payload.msg`` in Every Code and in old builds."""

    type: str = ""
    info: Info | None = None
    model: str | None = None


class Payload(Struct, frozen=True):
    """What a record may carry of a session, a model, or usage."""

    type: str = ""
    id: str | None = None
    event_seq: Count | None = None
    timestamp: str | None = None
    forked_from_id: str | None = None
    subagent_history_start_ordinal: Count | None = None
    model: str | None = None
    thread_settings: ThreadSettings | None = None
    info: Info | None = None
    msg: Message | None = None
    usage: Counters | None = None
    thread_token_usage: Counters | None = None


class Record(Struct, frozen=True):
    """One line of a rollout."""

    timestamp: str | None = None
    ordinal: Count | None = None
    type: str = ""
    payload: Payload | None = None


class Spawn(Struct, frozen=True):
    parent_thread_id: str | None = None


class Subagent(Struct, frozen=True):
    thread_spawn: Spawn | None = None


class Source(Struct, frozen=True):
    subagent: Subagent | str | None = None


class SessionMeta(Struct, frozen=True):
    """Who wrote a rollout, and which session it came from."""

    id: str | None = None
    originator: str | None = None
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    source: Source | str | None = None

    @property
    def parent(self) -> str | None:
        """The session this one was forked from or spawned by."""
        return self.forked_from_id or self.parent_thread_id or self._spawned_by

    @property
    def _spawned_by(self) -> str | None:
        subagent = self.source.subagent if isinstance(self.source, Source) else None
        spawn = subagent.thread_spawn if isinstance(subagent, Subagent) else None
        return spawn.parent_thread_id if spawn else None


class Head(Struct, frozen=True, tag_field="type", tag="session_meta"):
    """The record that heads a rollout."""

    payload: SessionMeta

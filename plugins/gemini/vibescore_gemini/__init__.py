"""Gemini CLI as a source: where its chats are and how they are counted (sources.md, chapter 3)."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct, field

from vibescore import (
    Document,
    Environment,
    Identity,
    Lines,
    NotifyTarget,
    ParseContext,
    TokenTotals,
    Tree,
    UsageEvent,
    hookimpl,
    utc_seconds,
)

RULES_VERSION = 1


class Tokens(Struct, frozen=True):
    """Tokens of one request; reasoning (``thoughts``) and ``tool`` are counted beside the
    output.
    """

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    thoughts: int | None = None
    tool: int | None = None
    total: int | None = None


class Message(Struct, frozen=True):
    """One message of a chat, without what it says."""

    id: str | None = None
    timestamp: str | None = None
    model: str | None = None
    tokens: Tokens | None = None


class Change(Struct, frozen=True):
    """A ``$set`` record, which may hold the whole list of messages again."""

    messages: list[Message] | None = None


class Record(Message, frozen=True, rename="camel"):
    """A whole chat (``.json``), or a line of one (``.jsonl``): its header, a message, or a
    change.
    """

    start_time: str | None = None
    messages: list[Message] | None = None
    set: Change | None = field(name="$set", default=None)


class Head(Struct, frozen=True, rename="camel"):
    """What names a chat: both forms begin with it."""

    session_id: str


class State(Struct):
    """The time of the last record that had one, in UTC seconds."""

    at: float | None = None


@hookimpl
def vibescore_discover(env: Environment) -> Iterator[Tree]:
    """Chats of every project, old (``.json``) and new (``.jsonl``), and those of sub-agents
    (COL-05).
    """
    for home in _homes(env):
        root = home / "tmp"
        yield Tree(root, "**/chats/session-*.json", Document(Record, State), Head, RULES_VERSION)
        yield Tree(root, "**/chats/**/*.jsonl", Lines(Record, State), Head, RULES_VERSION)


@hookimpl
def vibescore_identify(head: Head | None) -> Identity | None:
    """A file without a session id is not a chat."""
    return Identity(head.session_id) if head and head.session_id else None


@hookimpl
def vibescore_parse(records: Iterable[Record], context: ParseContext) -> Iterator[UsageEvent]:
    """One event a message, however often it is written again: the host keeps the largest."""
    for record in records:
        changed = record.set.messages if record.set else None
        for message in (record, *(record.messages or ()), *(changed or ())):
            context.state.at = utc_seconds(message.timestamp) or context.state.at
            if message.tokens is not None:
                yield from _event(message, message.tokens, context)
            elif record.start_time and context.state.at is None:
                context.state.at = utc_seconds(record.start_time)


def _event(message: Message, tokens: Tokens, context: ParseContext) -> Iterator[UsageEvent]:
    totals = _totals(tokens)
    if context.state.at is None:
        context.skip("no time")
    elif totals:
        id = (context.key, message.id or message.timestamp or "")
        yield UsageEvent(id, context.state.at, message.model, totals)


def _totals(tokens: Tokens) -> TokenTotals:
    """The mapping of COL-06; negative numbers count as none, a missing total is the sum of its
    parts.
    """
    counts = (
        tokens.input,
        tokens.cached,
        tokens.output,
        tokens.tool,
        tokens.thoughts,
        tokens.total,
    )
    input_tokens, cached, output, tool, thoughts, total = (max(count or 0, 0) for count in counts)
    parts = input_tokens + output + tool + thoughts
    return TokenTotals(
        input_tokens, min(cached, input_tokens), output + tool, thoughts, total or parts
    )


@hookimpl
def vibescore_notify_target(env: Environment) -> NotifyTarget:
    """The hook after each turn in Gemini's ``settings.json``, which need not be there yet."""
    return NotifyTarget(_homes(env)[0] / "settings.json", hook="AfterAgent", create=True)


def _homes(env: Environment) -> list[Path]:
    """``GEMINI_HOME`` is the folder itself, ``GEMINI_CLI_HOME`` replaces the home directory it
    lies in.
    """
    own = env.directory("GEMINI_HOME")
    parent = env.directory("GEMINI_CLI_HOME")
    homes = [own, parent and parent / ".gemini"]
    return [home for home in homes if home] or [env.home / ".gemini"]

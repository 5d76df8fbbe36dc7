"""Quill, a writing assistant that only exists here: what a stranger writes to have it counted.

Quill keeps one running total a session in a database, and a line for each aside, which is a
question outside of any session.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from vibescore import (
    Environment,
    Lines,
    Rows,
    RunningTotal,
    TokenTotals,
    Tree,
    UsageEvent,
    hookimpl,
)

RULES_VERSION = 1

# A session that was saved in the millisecond of the last one read must not be missed; the others of
# that millisecond are met again, and have not grown.
SESSIONS = """
SELECT updated_at AS since, id, updated_at / 1000.0 AS at, model, input, cached, output, reasoning
FROM session WHERE updated_at >= coalesce(:since, 0) ORDER BY updated_at
"""


class Spent(Struct, frozen=True):
    """What was spent on something, and when; cached input is input, reasoning is output."""

    id: str
    at: float
    model: str | None = None
    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def tokens(self) -> TokenTotals:
        output = self.output
        return TokenTotals.normal(
            input=self.input,
            cached_input=self.cached,
            output=output,
            reasoning_output=self.reasoning,
        )


class Session(Spent, frozen=True):
    """A row of the database: all that a session has spent until it was last saved."""

    def usage(self) -> RunningTotal:
        return RunningTotal(("session", self.id), self.at, self.model, self.tokens)


class Aside(Spent, frozen=True):
    """A line of the log: what an aside has spent."""

    def usage(self) -> UsageEvent:
        return UsageEvent(("aside", self.id), self.at, self.model, self.tokens)


@hookimpl
def vibescore_discover(env: Environment) -> Iterator[Tree]:
    root = env.directory("QUILL_HOME") or env.home / ".quill"
    sessions, asides = Rows(SESSIONS, Session), Lines(Aside)
    yield Tree(root, "quill.db", sessions, rules_version=RULES_VERSION)
    yield Tree(root, "asides/*.jsonl", asides, rules_version=RULES_VERSION)


@hookimpl
def vibescore_parse(records: Iterable[Session | Aside]) -> Iterator[UsageEvent | RunningTotal]:
    return (record.usage() for record in records)

"""How a check fails: with what is wrong and what to do, not with a trace into the kit."""

from collections.abc import Iterable
from typing import NoReturn

import pytest
from msgspec import Struct

from vibescore.collect import Summary
from vibescore.testing.lab import Lab
from vibescore.testing.readings import UNKEEPABLE, kept
from vibescore.testing.sandbox import Sandbox, failures
from vibescore.testing.watch import explained


def fail(what: str, mend: str) -> NoReturn:
    """Fail with what is wrong and what to do, instead of a trace into the kit."""
    raise pytest.fail.Exception(f"{what}.\nWhat to do: {mend}.", pytrace=False) from None


def check_untouched(deeds: Iterable[str]) -> None:
    """Fail if any hook did something that only the host does."""
    if done := list(dict.fromkeys(deeds)):
        fail(
            "A hook touches the computer: " + "; ".join(done[:5]),
            "a plugin opens no file, the host reads: take paths and variables from env, what is in"
            " a file from head and records, and ids from the log itself",
        )


def check_problems(sandbox: Sandbox, summary: Summary, when: str) -> None:
    """Fail if the plugin did."""
    if problems := failures(summary):
        causes = "".join(f"; {cause}" for cause in sandbox.plugin.causes[:1])
        fail(
            f"{when}: {problems[0].what}{causes}",
            "a hook answers with what hookspecs says, and raises nothing whatever it is given",
        )


def check_whole(lab: Lab, sandbox: Sandbox, when: str, mend: str) -> None:
    """Fail unless the totals are those of the samples read at once."""
    if wrong := lab.difference(sandbox.totals()):
        fail(f"{when}, {wrong}", mend)


def check_state(state: Struct, where: str) -> None:
    """Fail unless the state comes back from the store as it was left."""
    mend = (
        "declare every field of the state with a type that msgpack knows: numbers, texts, lists,"
        " tuples, sets, dicts and structs of them"
    )
    try:
        later = kept(state)
    except UNKEEPABLE as error:
        fail(f"The state cannot be kept ({where}): {explained(error)}", mend)
    for field in state.__struct_fields__:
        before, after = getattr(state, field), getattr(later, field)
        if before != after:
            fail(
                f"The field {field} of the state comes back as a {type(after).__name__}, otherwise"
                f" than it was left ({where})",
                mend,
            )

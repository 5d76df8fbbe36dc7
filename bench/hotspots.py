"""Where the time of a first sync goes: own time by function and by stage of the line.

Only this process is seen, and only what it does after all imports; it gets one processor, so that
it shares no work with helper processes.
"""

from __future__ import annotations

import cProfile
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import CodeType
from typing import NamedTuple, TypeVar

from subjects import SYNC, Vibescore

SHOWN = 25
OTHER = "other"
STAGES = {
    "discover": "read",
    "jobs": "read",
    "reader": "read",
    "accumulate": "ledger",
    "backfill": "ledger",
    "ledger": "ledger",
    "reconcile": "ledger",
    "store": "store",
    "work": "parse",
}


Key = TypeVar("Key")


class Spot(NamedTuple):
    """A function, on behalf of a stage."""

    stage: str
    function: str


def profile(ours: Vibescore) -> str:
    """The report on a first sync in this process."""
    return report(own_times(profiled(ours)))


def profiled(ours: Vibescore) -> cProfile.Profile:
    from vibescore.cli import cli

    os.sched_setaffinity(0, {0})
    os.environ.clear()
    os.environ.update(ours.variables)
    cli.main([*SYNC], standalone_mode=False)
    ours.forget()
    profiler = cProfile.Profile()
    profiler.runcall(cli.main, [*SYNC], standalone_mode=False)
    return profiler


def own_times(profiler: cProfile.Profile) -> dict[Spot, float]:
    """Seconds in each function itself; what has no stage of its own works for its caller's."""
    times: dict[Spot, float] = defaultdict(float)
    for entry in profiler.getstats():
        stage = stage_of(entry.code)
        if stage:
            times[Spot(stage, label(entry.code))] += entry.inlinetime
        for called in entry.calls or ():
            if not stage_of(called.code):
                times[Spot(stage or OTHER, label(called.code))] += called.inlinetime
    return times


def stage_of(code: CodeType | str) -> str | None:
    if isinstance(code, str):
        return "decode" if "msgspec.json" in code else None
    path = Path(code.co_filename)
    if path.parent.name.startswith("vibescore_"):
        return "parse"
    return STAGES.get(path.stem) if path.parent.name == "vibescore" else None


def label(code: CodeType | str) -> str:
    if isinstance(code, str):
        return code.strip("<>")
    return f"{Path(code.co_filename).name}:{code.co_firstlineno} {code.co_qualname}"


def report(times: Mapping[Spot, float]) -> str:
    total = sum(times.values())
    stages: dict[str, float] = defaultdict(float)
    for spot, seconds in times.items():
        stages[spot.stage] += seconds
    lines = [f"{'own time':>10}  {'share':>6}  stage"]
    lines += [line(seconds, total, stage) for stage, seconds in longest(stages)]
    lines += ["", f"{'own time':>10}  {'share':>6}  {'stage':<7} function"]
    lines += [
        line(seconds, total, f"{spot.stage:<7} {spot.function}")
        for spot, seconds in longest(times)[:SHOWN]
    ]
    return "\n".join(lines)


def longest(times: Mapping[Key, float]) -> list[tuple[Key, float]]:
    return sorted(times.items(), key=lambda item: -item[1])


def line(seconds: float, total: float, what: str) -> str:
    return f"{seconds:>8.3f} s  {seconds / total:>6.1%}  {what}"

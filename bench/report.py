"""What was measured: as a table for people, as JSON for programs, and read from that again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from figures import Bench, Figure, Goal
from ground import Machine

HEADINGS = ("figure", "ours", "peer", "ratio", "goal", "reached")
UNKNOWN = "–"
DIGITS = {"s": 3, "s/GB": 3, "ms": 2, "rows/s": 0}
NOT_BUILT = "not built yet"


@dataclass(frozen=True, slots=True)
class Report:
    """The figures, and what they were taken with: ``runs`` is 0 where rounds are no repetitions,
    and ``corpora`` has files, bytes and a description by name.
    """

    machine: Machine
    scale: float
    runs: int
    corpora: Mapping[str, Mapping[str, Any]]
    remarks: Sequence[str]
    figures: Sequence[Figure]
    server_remarks: Sequence[str] = ()

    @classmethod
    def of(cls, machine: Machine, bench: Bench, figures: Sequence[Figure]) -> Report:
        corpora = {
            name: {"files": len(corpus.files), "bytes": corpus.size, "about": corpus.about}
            for name, corpus in bench.corpora.items()
        }
        remarks = list(bench.peers.remarks.values())
        about_server = list(bench.remarks.values())
        return cls(machine, bench.scale, bench.runs, corpora, remarks, figures, about_server)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Report:
        figures = [figure_from_json(figure) for figure in written["figures"]]
        return cls(**{**written, "machine": Machine(**written["machine"]), "figures": figures})

    def as_json(self) -> dict[str, Any]:
        """With every single run."""
        return {
            "machine": asdict(self.machine),
            "scale": self.scale,
            "runs": self.runs,
            "corpora": self.corpora,
            "remarks": self.remarks,
            "figures": [figure_as_json(figure) for figure in self.figures],
            "server_remarks": self.server_remarks,
        }

    def of_part(self, part: str) -> Report:
        """The figures and notes of one part."""
        figures = [figure for figure in self.figures if figure.part == part]
        if part == "tracker":
            return replace(self, figures=figures, server_remarks=())
        return replace(self, figures=figures, corpora={}, remarks=())

    def notes(self) -> Iterator[str]:
        """What the figures were taken from, and what was found out about the peers and about the
        ways of the databases.
        """
        yield from (corpus["about"] for corpus in self.corpora.values())
        yield from self.remarks
        yield from self.server_remarks
        if self.scale != 1:
            yield f"At scale {self.scale:g}, for a try: the goals are meant for scale 1"

    def table(self) -> Iterator[str]:
        return table([HEADINGS, *map(cells, self.figures)])


def table(lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """Aligned Markdown; the first line holds the headings."""
    headings, *rows = lines
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    for line in (headings, rule, *rows):
        texts = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        yield f"| {' | '.join(texts)} |"


def cells(figure: Figure) -> tuple[str, ...]:
    peer = amount(figure.peer, figure.unit)
    return (
        figure.what,
        amount(figure.ours, figure.unit) if figure.unit else NOT_BUILT,
        f"{peer} ({figure.peer_name})" if figure.peer_name else peer,
        times(figure.ratio),
        str(figure.goal or UNKNOWN),
        figure.reached or UNKNOWN,
    )


def amount(series: Sequence[float], unit: str) -> str:
    if not series:
        return UNKNOWN
    value = median(series)
    digits = DIGITS.get(unit, 1)
    return f"{value:,.{digits}f} {unit}"


def times(ratio: float | None) -> str:
    if ratio is None:
        return UNKNOWN
    return f"{ratio:,.0f} ×" if ratio >= 100 else f"{ratio:.3g} ×"


def figure_as_json(figure: Figure) -> dict[str, Any]:
    return {
        "figure": figure.what,
        "unit": figure.unit,
        "ours": median(figure.ours) if figure.ours else None,
        "peer": median(figure.peer) if figure.peer else None,
        "peer_name": figure.peer_name,
        "ratio": figure.ratio,
        "goal": figure.goal and figure.goal._asdict(),
        "reached": figure.reached,
        "part": figure.part,
        "runs": {"ours": list(figure.ours), "peer": list(figure.peer)},
    }


def figure_from_json(written: Mapping[str, Any]) -> Figure:
    """What is derived (medians, the ratio, whether the goal is reached) is derived again."""
    goal, runs = written["goal"], written["runs"]
    return Figure(
        written["figure"],
        written["unit"],
        runs["ours"],
        runs["peer"],
        written["peer_name"],
        Goal(**goal) if goal else None,
        written.get("part", "tracker"),
    )

"""The figures in `docs/performance.md`: written between its markers, the text around them stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from figures import Figure
from measure import BenchError
from report import Report, cells, table

DOCUMENT = Path(__file__).resolve().parents[1] / "docs/performance.md"
BEGIN = "<!-- figures: written by dev.py bench document -->"
END = "<!-- end of the figures -->"

HEADINGS = ("what", "vibescore", "compared with", "ratio", "to reach (aim)", "reached")
IN_WORDS = {"aim": "yes, and the aim", "yes": "yes", "no": "**no**"}


def write_document(report: Report, document: Path) -> None:
    """Put the figures of ``report`` in place of those that stand there; raises BenchError when the
    markers are gone.
    """
    before, begin, rest = document.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise BenchError(f"{document.name} has lost its markers {BEGIN} and {END}")
    figures = "\n".join(section(report))
    document.write_text(f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}", "utf-8")


def section(report: Report) -> Iterator[str]:
    """Machine, table, corpora and remarks, in Markdown."""
    yield f"{report.machine}. Medians of {report.runs} rounds."
    yield ""
    yield from table([HEADINGS, *map(in_words, report.figures)])
    yield ""
    yield from (f"- {note}" for note in report.notes())


def in_words(figure: Figure) -> tuple[str, ...]:
    *texts, reached = cells(figure)
    return (*texts, IN_WORDS.get(reached, reached))

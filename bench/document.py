"""The figures in `docs/performance.md`: written between its markers, the text around them stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from figures import Figure
from measure import BenchError
from report import Report, cells, table

DOCUMENT = Path(__file__).resolve().parents[1] / "docs/performance.md"
BEGIN = {
    "tracker": "<!-- figures: written by dev.py bench document -->",
    "server": "<!-- figures of the server: written by dev.py bench document -->",
    "load": "<!-- figures of the load: written by dev.py bench document -->",
}
END = "<!-- end of the figures -->"

HEADINGS = ("what", "vibescore", "compared with", "ratio", "to reach (aim)", "reached")
IN_WORDS = {"aim": "yes, and the aim", "yes": "yes", "no": "**no**"}


def write_document(report: Report, document: Path) -> None:
    """Put the figures of ``report`` in place of those that stand there, part by part: one that was
    not measured stays as it is. Raises BenchError when the markers are gone.
    """
    text = document.read_text("utf-8")
    for part, begin in BEGIN.items():
        measured = report.of_part(part)
        if measured.figures:
            text = placed("\n".join(section(measured)), begin, text, document.name)
    document.write_text(text, "utf-8")


def placed(figures: str, begin: str, text: str, name: str) -> str:
    """The text with other figures between its markers."""
    before, begun, rest = text.partition(begin)
    _, end, after = rest.partition(END)
    if not (begun and end):
        raise BenchError(f"{name} has lost its markers {begin} and {END}")
    return f"{before}{begin}\n\n{figures}\n\n{END}{after}"


def section(report: Report) -> Iterator[str]:
    """Machine, table, corpora and remarks, in Markdown."""
    yield f"{report.machine}.{f' Medians of {report.runs} rounds.' if report.runs else ''}"
    yield ""
    yield from table([HEADINGS, *map(in_words, report.figures)])
    yield ""
    yield from (f"- {note}" for note in report.notes())


def in_words(figure: Figure) -> tuple[str, ...]:
    *texts, reached = cells(figure)
    return (*texts, IN_WORDS.get(reached, reached))

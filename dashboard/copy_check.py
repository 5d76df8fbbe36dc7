"""What is wrong with the texts of the dashboard: with their registry, or with its use (DSH-15)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

REGISTRY = "dashboard/src/content/copy.csv"
PAGE = "dashboard/index.html"
SOURCES = "dashboard/src"
MODULE = "#copy/index.ts"

COLUMNS = ["key", "module", "page", "component", "slot", "text", "notes", "status"]
STATUSES = ("active", "draft", "retired")
KEY = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+){2}")
VALUE = re.compile(r"\{\w+\}")

IN_PAGE = re.compile(r"%copy:(.*?)%")
IMPORT = re.compile(r'^(import|export)\b([^;"]*)\bfrom "([^"]*\bcopy/index\.ts)"', re.MULTILINE)
PLAIN_NAMES = re.compile(r"\s*(type\s*)?\{((?!\bas\b)[^}])*\}\s*")
CALL = re.compile(
    r"""
      (?<!:)//[^\n]*  |  /\*.*?\*/                         # passed over: comments,
    | "(?:\\.|[^"\\\n])*"  |  '(?:\\.|[^'\\\n])*'          # and what other strings hold
    | (?P<call>(?<![\w.$])text\(\s*) (?:"(?P<key>[^"\n]*)"\s*[,)])?
    """,
    re.VERBOSE | re.DOTALL,
)


class Finding(NamedTuple):
    """What is wrong, and where: the file from the root of the checkout, the line from 1 on."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


class Use(NamedTuple):
    """A place that asks for a text."""

    file: str
    line: int
    key: str


class Row(NamedTuple):
    """A row of the registry, and the line on which it begins."""

    line: int
    key: str
    module: str
    page: str
    component: str
    slot: str
    text: str
    notes: str
    status: str

    def finding(self, what: str) -> Finding:
        return Finding(REGISTRY, self.line, what)


class Verdict(NamedTuple):
    """What has to be mended, and what may have been forgotten."""

    errors: list[Finding]
    warnings: list[Finding]


def judged(root: Path) -> Verdict:
    """The verdict on the registry of a checkout, and on how its page and its sources use it."""
    rows, broken = read(root / REGISTRY)
    found = [*in_page(root), *in_sources(root)]
    uses = [use for use in found if isinstance(use, Use)]
    errors = [
        *broken,
        *(finding for row in rows for finding in faults(row)),
        *repeated(rows),
        *(finding for finding in found if isinstance(finding, Finding)),
        *misused(uses, {row.key: row for row in rows}),
    ]
    return Verdict(errors, list(unused(rows, {use.key for use in uses})))


def read(path: Path) -> tuple[list[Row], list[Finding]]:
    """The rows that are whole, and what keeps the rest from being so."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return [], [Finding(REGISTRY, 1, f"cannot be read: {error}")]
    if next(csv.reader(text.splitlines()), None) != COLUMNS:
        return [], [Finding(REGISTRY, 1, f"the columns have to be {','.join(COLUMNS)}")]
    parts = list(rows_of(text))[1:]
    rows = [row for row in parts if isinstance(row, Row)]
    return rows, [finding for finding in parts if isinstance(finding, Finding)]


def rows_of(text: str) -> Iterator[Row | Finding]:
    reader = csv.reader(io.StringIO(text), strict=True)
    line = 1
    try:
        for cells in reader:
            yield row_of(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        yield Finding(REGISTRY, line, f"a quote is missing or too many ({error})")


def row_of(line: int, cells: list[str]) -> Row | Finding:
    if len(cells) == len(COLUMNS):
        return Row(line, *cells)
    return Finding(REGISTRY, line, f"{len(cells)} cells, not {len(COLUMNS)}")


def faults(row: Row) -> Iterator[Finding]:
    """What is wrong with a row by itself."""
    if not KEY.fullmatch(row.key):
        yield row.finding(f'the key "{row.key}" is not like page.component.slot: a-z, 0-9 and _')
    elif row.key != f"{row.page}.{row.component}.{row.slot}":
        yield row.finding(f"{row.key} is not made of its page, component and slot")
    if not row.module:
        yield row.finding(f"{row.key} names no module")
    if row.status not in STATUSES:
        yield row.finding(f'{row.key}: the status "{row.status}" is none of {", ".join(STATUSES)}')
    if not row.text.strip():
        yield row.finding(f"{row.key} has no text")
    if re.search("[{}]", VALUE.sub("", row.text)):
        yield row.finding(f"{row.key}: braces stand around the name of a value, like {{name}}")


def repeated(rows: Iterable[Row]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for row in rows:
        if first.setdefault(row.key, row.line) != row.line:
            yield row.finding(f"{row.key} is there already, on line {first[row.key]}")


def misused(uses: Iterable[Use], rows: Mapping[str, Row]) -> Iterator[Finding]:
    """Uses that get no text."""
    for file, line, key in uses:
        row = rows.get(key)
        if row is None:
            yield Finding(file, line, f"no text has the key {key}")
        elif row.status == "retired":
            yield Finding(file, line, f"{key} is retired ({REGISTRY}:{row.line})")
        elif file == PAGE and VALUE.search(row.text):
            yield Finding(file, line, f"{key} takes values, and this page has none to give")


def unused(rows: Iterable[Row], used: Container[str]) -> Iterator[Finding]:
    for row in rows:
        if row.status == "active" and row.key not in used:
            yield row.finding(f"{row.key} is used nowhere")


def in_page(root: Path) -> Iterator[Use]:
    for line, text in enumerate((root / PAGE).read_text("utf-8").splitlines(), 1):
        yield from (Use(PAGE, line, key) for key in IN_PAGE.findall(text))


def in_sources(root: Path) -> Iterator[Use | Finding]:
    for path in sorted((root / SOURCES).rglob("*.ts*")):
        yield from in_source(path.relative_to(root).as_posix(), path.read_text("utf-8"))


def in_source(file: str, code: str) -> Iterator[Use | Finding]:
    """The keys that the calls of `text` name, and what hides some from being found."""
    imports = list(IMPORT.finditer(code))
    for its in imports:
        if its[1] != "import" or its[3] != MODULE or not PLAIN_NAMES.fullmatch(its[2]):
            yield Finding(file, line_of(code, its), f'write import {{ text }} from "{MODULE}"')
    for call in CALL.finditer(code) if imports else ():
        if call["key"] is not None:
            yield Use(file, line_of(code, call), call["key"])
        elif call["call"]:
            yield Finding(file, line_of(code, call), "text() takes its key as a plain string")


def line_of(code: str, its: re.Match[str]) -> int:
    return code.count("\n", 0, its.start()) + 1

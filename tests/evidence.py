"""A pytest plugin that writes the evidence map: requirement, code, tests (TLS-02).

Code stands for a requirement when it names its ID, a test when it carries it as a mark; one of the
dashboard's own (vitest) when its title begins with it: ``[DSH-07] leaves a gap``.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

REQUIREMENTS = "docs/requirements.md"
CODE = (
    ".ci/run",
    "bench/*.py",
    "dashboard/*.py",
    "dashboard/build/*.ts",
    "dashboard/src/**/*.ts",
    "dashboard/src/**/*.tsx",
    "dev.py",
    "hatch_build.py",
    "plugins/*/vibescore_*/**/*.py",
    "server/vibescore_server/**/*.py",
    "tests/evidence.py",
    "vibescore/**/*.py",
)
ROW = re.compile(r"^\| ([A-Z]{3}-\d\d) \| (.*) \|$", re.MULTILINE)
ID = re.compile(r"\b[A-Z]{3}-\d\d\b")

VITEST = "dashboard/tests/**/*.test.ts"
TITLE = re.compile(r"""(["`])\[([A-Z]{3}-\d\d)\] (.+?)\1""")

Places = Mapping[str, set[str]]
"""Where each requirement, by its ID, is met."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--evidence", type=Path, required=True, help="the file to write")


def pytest_collection_finish(session: pytest.Session) -> None:
    root = session.config.rootpath
    requirements = dict(ROW.findall((root / REQUIREMENTS).read_text(encoding="utf-8")))
    tests = both(shown_by(session.items), shown_by_vitest(root))
    if unknown := tests.keys() - requirements.keys():
        raise pytest.UsageError(f"no such requirement: {', '.join(sorted(unknown))}")
    text = "\n".join(evidence(requirements, named_in(root), tests))
    session.config.getoption("--evidence").write_text(text + "\n", encoding="utf-8")


def shown_by(items: Iterable[pytest.Item]) -> Places:
    """The tests that carry each ID, parametrisation aside, and a class for all of its own. Skipped
    or failing ones show nothing.
    """
    tests = defaultdict(set)
    for item in items:
        if item.get_closest_marker("skip") or item.get_closest_marker("xfail"):
            continue
        for node, mark in item.iter_markers_with_node("requirement"):
            shown = node if isinstance(node, pytest.Class) else item
            for requirement in mark.args:
                tests[requirement].add(shown.nodeid.partition("[")[0])
    return tests


def shown_by_vitest(root: Path) -> Places:
    """The tests of the dashboard whose titles begin with each ID."""
    tests = defaultdict(set)
    for path in root.glob(VITEST):
        for _, requirement, title in TITLE.findall(path.read_text(encoding="utf-8")):
            tests[requirement].add(f"{path.relative_to(root).as_posix()}::{title}")
    return tests


def both(one: Places, other: Places) -> Places:
    return {key: one.get(key, set()) | other.get(key, set()) for key in one.keys() | other.keys()}


def named_in(root: Path) -> Places:
    """The files of ours that name each ID."""
    files = defaultdict(set)
    for path in (path for pattern in CODE for path in root.glob(pattern)):
        for requirement in ID.findall(path.read_text(encoding="utf-8")):
            files[requirement].add(path.relative_to(root).as_posix())
    return files


def evidence(requirements: Mapping[str, str], code: Places, tests: Places) -> Iterator[str]:
    """The lines of the map, in the order of the requirements."""
    open_ = [requirement for requirement in requirements if not tests.get(requirement)]
    yield "# Evidence"
    yield ""
    yield "The code that names each requirement, and its tests. Written by `dev.py evidence`."
    yield ""
    yield f"{len(requirements) - len(open_)} of {len(requirements)} requirements have a test."
    yield f"Open: {', '.join(open_) or 'none'}."
    for requirement, text in requirements.items():
        yield ""
        yield f"## {requirement}"
        yield ""
        yield f"> {text}"
        yield ""
        yield from (f"- code: {link(path)}" for path in sorted(code.get(requirement, ())))
        yield from (f"- test: {test_link(test)}" for test in sorted(tests.get(requirement, ())))
        if not tests.get(requirement):
            yield "- open: no test"


def test_link(nodeid: str) -> str:
    path, _, name = nodeid.partition("::")
    return f"{link(path)} `{name}`"


def link(path: str) -> str:
    return f"[{path}](../{path})"

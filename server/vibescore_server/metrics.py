"""Figures for Prometheus (SRV-22): by route template and status, never by user.

One process keeps them in memory. Several share a directory (PROMETHEUS_MULTIPROC_DIR, made by
``serve``), so that whichever process is asked answers for all.
"""

import os
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SHARED = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """What is counted."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Histogram(
            "vibescore_request_seconds",
            "Requests, by how long they took",
            ("method", "route", "status"),
            buckets=SECONDS,
            registry=self._registry,
        )
        self.under_way = Gauge(
            "vibescore_requests_under_way",
            "Requests that wait for their answer",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self.rows = Counter(
            "vibescore_ingest_rows",
            "Half-hours that arrived: inserted (new or changed) or skipped (unchanged)",
            ("outcome",),
            registry=self._registry,
        )
        self.waiting = Gauge(
            "vibescore_database_waiting",
            "Questions that wait for a connection to the database",
            multiprocess_mode="livesum",
            registry=self._registry,
        )

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        if SHARED not in os.environ:
            return generate_latest(self._registry)
        forget_the_dead(Path(os.environ[SHARED]))
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(shared)


def forget_the_dead(shared: Path) -> None:
    """A process that was killed has nothing under way any more."""
    for file in shared.glob("gauge_live*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another process saw it too
                mark_process_dead(pid)  # type: ignore[no-untyped-call]

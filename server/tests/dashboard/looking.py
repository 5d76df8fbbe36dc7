"""Fixtures: a server with the dashboard, and how somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from distributions import ROOT
from playwright.sync_api import Page
from screen import Screen
from serving import NOW, Person, Server, serving

BUILT = ROOT / "server/vibescore_server/static"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as it is installed; which database it has does not matter to a page."""
    if not BUILT.is_dir():
        pytest.skip("no dashboard: python3 dev.py setup says why it was not built")
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def noon(server: Server) -> None:
    """It is NOW when a test begins, whatever the one before made of the clock."""
    server.set_clock(NOW)


@pytest.fixture
def look(new_page: Callable[..., Page]) -> Callable[..., Screen]:
    """Opens the dashboard of somebody in a browser of its own; see ``Screen.of``. More options are
    those of Playwright's ``new_context``.
    """

    def open_dashboard(
        person: Person,
        period: str = "week",
        *,
        at: str = NOW,
        zone: str = "Europe/Berlin",
        prepare: Callable[[Page], None] | None = None,
        **options: Any,
    ) -> Screen:
        page = new_page(timezone_id=zone, **options)
        if prepare:
            prepare(page)
        return Screen.of(page, person, period, at=at)

    return open_dashboard

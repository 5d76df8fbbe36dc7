"""Pictures of every page in every state, on narrow, usual and wide screens: to be looked at.

They land in the folder that VIBESCORE_PICTURES names; without that, nobody sees them, and each is
only shown to be one of its state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from distributions import ROOT
from playwright.sync_api import Page
from scenes import DESK, PHONE, SCENES, WALL, Scene, Stage, staged

BUILT = ROOT / "server/vibescore_server/static"
VARIABLE = "VIBESCORE_PICTURES"
LIGHT = 150_000
"""Bytes of a picture that the documentation shows."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if not BUILT.is_dir():
        pytest.skip("no dashboard: python3 dev.py setup says why it was not built")
    with staged(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where pictures go."""
    folder = Path(os.environ.get(VARIABLE, tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.requirement("DSH-01")
@pytest.mark.parametrize("scene", SCENES, ids=lambda its: its.name)
def test_every_state_is_what_a_picture_shows(
    scene: Scene,
    stage: Stage,
    new_page: Callable[..., Page],
    folder: Path,
    complaints: list[str],
) -> None:
    page = new_page(viewport={"width": PHONE[0], "height": PHONE[1]}, reduced_motion="reduce")
    scene.play(stage, page)
    for size in (PHONE, DESK, WALL):
        scene.resize(stage, page, size)
        whole = page.get_by_role("dialog").count() == 0
        page.screenshot(path=folder / f"{scene.name}-{size[0]}.png", full_page=whole)
    scene.forgive(complaints)

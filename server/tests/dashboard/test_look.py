"""How the dashboard looks and feels: to eyes, hands, screen readers, printers, graphics cards."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from distributions import ROOT
from pages import Pages
from playwright.sync_api import Locator, Page, expect
from scenes import DESK, PHONE, SCENES, WALL, Scene, Stage, figures, staged
from serving import NOW

BUILT = ROOT / "server/vibescore_server/static"
AXE = ROOT / "dashboard/node_modules/axe-core/axe.min.js"

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if not BUILT.is_dir():
        pytest.skip("no dashboard: python3 dev.py setup says why it was not built")
    with staged(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    if not AXE.is_file():
        pytest.skip("the dashboard is not installed: npm ci in dashboard/")
    return AXE.read_text("utf-8")


def open_page(
    new_page: NewPage, size: tuple[int, int] = DESK, motion: str = "reduce", **options: Any
) -> Page:
    """A page on a screen of that size."""
    screen = dict(zip(("width", "height"), size, strict=True))
    return new_page(viewport=screen, reduced_motion=motion, **options)


def open_dashboard(stage: Stage, page: Page, period: str = "total") -> None:
    """That of Ada, with all its figures."""
    stage.enter(page, "ada")
    page.goto(f"{stage.server.url}/?p={period}")
    figures("EDGE")(stage, page)


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = """([rules, print]) => axe.run(document, {
    runOnly: print ? ["color-contrast"] : rules, resultTypes: ["violations", "passes"]
}).then(({ violations, passes }) => ({
    violations: violations.flatMap(({ id, nodes }) => nodes.map(
        ({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`)),
    contrasts: passes.filter(({ id }) => id === "color-contrast")
        .flatMap(({ nodes }) => nodes).length,
}))"""


def look(page: Page, axe: str, *, print: bool = False) -> None:
    """axe-core has nothing against what is seen, and was able to judge its colours."""
    page.evaluate(axe)
    found = page.evaluate(LOOK, [RULES, print])
    assert found["violations"] == []
    on_top = page.get_by_role("dialog").count()  # axe-core takes it for covered
    assert found["contrasts"] > 0 or on_top


WIDTHS = "() => [document.documentElement.scrollWidth, innerWidth]"


@pytest.mark.requirement("DSH-01")
@pytest.mark.parametrize("scene", SCENES, ids=lambda its: its.name)
def test_every_page_is_open_to_everybody_and_fits_its_screen(
    scene: Scene, stage: Stage, new_page: NewPage, axe: str, complaints: list[str]
) -> None:
    page = open_page(new_page, PHONE)
    scene.play(stage, page)
    for size in (PHONE, DESK):
        scene.resize(stage, page, size)
        look(page, axe)
        scrolled, seen = page.evaluate(WIDTHS)
        assert scrolled <= seen
    scene.forgive(complaints)


STOPS = "a[href], button:not(:disabled), input, [tabindex='0']"
STOP = """() => {
    const its = document.activeElement;
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(its);
    const { top, bottom, left, right } = its.getBoundingClientRect();
    return {
        index: [...document.querySelectorAll(STOPS)].indexOf(its),
        outline: outlineStyle === "none" ? 0 : parseFloat(outlineWidth),
        colour: outlineColor,
        seen: bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
        top: top + scrollY,
        bottom: bottom + scrollY,
    };
}""".replace("STOPS", f'"{STOPS}"')


def stops(page: Page) -> Iterator[dict[str, Any]]:
    """What Tab leads to, from the beginning of the page to its end."""
    for _ in range(page.locator(STOPS).count()):
        page.keyboard.press("Tab")
        yield page.evaluate(STOP)


@pytest.mark.requirement("DSH-01")
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("path", ["/?p=total", "/leaderboard", "/devices", "/settings", "/link"])
def test_tab_leads_through_everything_in_its_order_and_shows_where_it_is(
    path: str, size: tuple[int, int], stage: Stage, new_page: NewPage
) -> None:
    page = open_page(new_page, size)
    stage.enter(page, "ada")
    page.goto(stage.server.url + path)
    expect(page.locator("main h1")).to_have_count(1)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    found = list(stops(page))
    assert [stop["index"] for stop in found] == list(range(len(found)))
    for stop in found:
        assert stop["seen"]
        assert stop["outline"] >= 2
        assert contrast(stop["colour"], "rgb(13, 21, 15)") >= 3
    if size == PHONE:
        for before, after in itertools.pairwise(found):
            assert after["bottom"] > before["top"], "it leads down the page"


@pytest.mark.requirement("DSH-01")
def test_the_skip_link_comes_first_and_leads_to_what_the_page_is_about(
    stage: Stage, new_page: NewPage
) -> None:
    page = open_page(new_page)
    open_dashboard(stage, page)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Day", exact=True)).to_be_focused()


DIALOGS = [
    ("/?p=total", "button", "cost", "Cost by model"),
    ("/", "button", "Keyboard", "Keyboard"),
    ("/devices", "button", "Revoke laptop", "Revoke a device"),
    ("/settings", "button", "Delete account", "Delete account"),
]


@pytest.mark.requirement("DSH-01")
@pytest.mark.parametrize("path, role, opener, title", DIALOGS)
def test_a_dialog_keeps_the_focus_until_escape_and_gives_it_back(
    path: str, role: Any, opener: str, title: str, stage: Stage, new_page: NewPage
) -> None:
    page = open_page(new_page)
    stage.enter(page, "ada")
    page.goto(stage.server.url + path)
    button = page.get_by_role(role, name=opener)
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=title)
    expect(dialog).to_be_visible()
    for _ in range(5):
        assert page.evaluate("document.activeElement.closest('dialog') !== null")
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            page.keyboard.press("Tab")  # between its last and its first: the browser's own controls
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()


def tip(page: Page) -> Locator:
    """What a picture says about one of its values; all of it has to be seen."""
    note = page.get_by_role("application").get_by_role("status")
    expect(note).to_be_in_viewport(ratio=0.99)  # parts of pixels aside
    return note


@pytest.mark.requirement("DSH-01", "DSH-07")
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_arrow_keys_read_the_curve_also_where_nothing_was_synced(
    size: tuple[int, int], stage: Stage, new_page: NewPage
) -> None:
    page = open_page(new_page, size)
    open_dashboard(stage, page, "day")
    page.get_by_role("application", name="Tokens over time").focus()
    for key, said in (
        ("ArrowLeft", "not synced yet"),
        ("Home", "0 tokens"),
        ("ArrowRight", "01:00–02:00 · UTC"),
        ("ArrowLeft", "00:00–01:00 · UTC"),
        ("End", "12:00–13:00 · UTC"),
    ):
        page.keyboard.press(key)
        expect(tip(page)).to_contain_text(said)
    page.keyboard.press("Tab")
    expect(page.get_by_role("application").get_by_role("status")).to_have_count(0)


@pytest.mark.requirement("DSH-01", "DSH-04")
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_arrow_keys_read_the_days_of_the_year(
    size: tuple[int, int], stage: Stage, new_page: NewPage
) -> None:
    page = open_page(new_page, size)
    open_dashboard(stage, page)
    page.get_by_role("application", name="Tokens by day").focus()
    for key, said in (
        ("ArrowLeft", "Wed 18 Nov 2026"),
        ("ArrowLeft", "Wed 11 Nov 2026"),
        ("ArrowUp", "Tue 10 Nov 2026"),
        ("ArrowRight", "Tue 17 Nov 2026"),
        ("ArrowDown", "Wed 18 Nov 2026"),
        ("ArrowDown", "Wed 18 Nov 2026"),
    ):
        page.keyboard.press(key)
        expect(tip(page)).to_contain_text(said)


@pytest.mark.requirement("DSH-01")
def test_shortcuts_wait_while_something_is_typed_or_a_dialog_is_open(
    stage: Stage, new_page: NewPage
) -> None:
    page = open_page(new_page)
    stage.enter(page, "ada")
    page.goto(f"{stage.server.url}/devices")
    rename = page.get_by_role("button", name="Rename laptop")
    rename.press("Enter")
    name, help_ = page.get_by_label("New name"), page.get_by_role("dialog", name="Keyboard")
    name.press_sequentially(" dwmtr?")
    expect(name).to_have_value("laptop dwmtr?")
    expect(help_).to_have_count(0)
    page.keyboard.press("Escape")
    expect(rename).to_be_focused()
    page.keyboard.press("?")
    expect(help_).to_be_visible()
    page.keyboard.press("Escape")

    open_dashboard(stage, page)
    page.keyboard.press("?")
    expect(help_).to_be_visible()
    page.keyboard.press("d")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Total", exact=True)).to_have_attribute(
        "aria-current", "page"
    )
    page.keyboard.press("d")
    expect(page.get_by_role("link", name="Day", exact=True)).to_have_attribute(
        "aria-current", "page"
    )


HEAVY = """() => [...document.querySelectorAll("*")].flatMap(element =>
    ["", "::before", "::after", "::backdrop"].flatMap(part => {
        const { backdropFilter, filter, boxShadow, textShadow, width, height } =
            getComputedStyle(element, part);
        const blurred = shadow => /px .*px [1-9].*px/.test(shadow);
        const small = parseFloat(width) <= 24 && parseFloat(height) <= 24;
        const heavy = backdropFilter !== "none" || filter !== "none" || blurred(textShadow)
            || (blurred(boxShadow) && !small);
        return heavy ? [`${element.tagName}.${element.className}${part}`] : [];
    }))"""


@pytest.mark.requirement("DSH-18")
@pytest.mark.parametrize("name", ["landing", "sign-in", "total", "cached", "cost", "leaderboard"])
def test_nothing_is_blurred_and_only_small_things_glow(
    name: str, stage: Stage, new_page: NewPage, complaints: list[str]
) -> None:
    page = open_page(new_page, motion="no-preference")
    (scene,) = (each for each in SCENES if each.name == name)
    scene.play(stage, page)
    assert page.evaluate(HEAVY) == []
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.brand'), '::after').boxShadow")
        != "none"
    )
    scene.forgive(complaints)


COUNT = """
    window.drawn = { pictures: 0, letters: 0 };
    for (const [name, what] of [["fillRect", "pictures"], ["fillText", "letters"]]) {
        const draw = CanvasRenderingContext2D.prototype[name];
        CanvasRenderingContext2D.prototype[name] = function (...its) {
            if (this.canvas.matches(".rain")) window.drawn[what] += 1;
            return draw.apply(this, its);
        };
    }
"""
HIDE = """hidden => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
"""What a browser says when its tab goes behind another; one without windows has none to cover."""


def pictures_in(page: Page, seconds: int) -> int:
    """How many pictures of rain are drawn in so many seconds of the page's time."""
    before = page.evaluate("drawn.pictures")
    page.clock.run_for(seconds * 1000)
    drawn: int = page.evaluate("drawn.pictures") - before
    return drawn


@pytest.fixture
def rainy(stage: Stage, new_page: NewPage) -> Page:
    """A page in the rain, its time standing still."""
    page = open_page(new_page, motion="no-preference")
    page.add_init_script(COUNT)
    page.clock.install(time=NOW)
    page.goto(stage.server.url)
    expect(page.locator("canvas.rain")).to_be_visible()
    page.clock.pause_at("2026-11-18T13:00:00Z")
    return page


@pytest.mark.requirement("DSH-18")
def test_it_rains_eight_times_a_second_at_most(rainy: Page) -> None:
    assert 10 < pictures_in(rainy, 10) <= 10 * 8
    assert rainy.evaluate("drawn.letters") > 1000


@pytest.mark.requirement("DSH-18")
@pytest.mark.parametrize("size", [PHONE, DESK, WALL], ids=["phone", "desk", "wall"])
def test_the_rain_covers_the_screen_at_half_its_resolution(
    size: tuple[int, int], rainy: Page
) -> None:
    width, height = size
    rainy.set_viewport_size({"width": width, "height": height})
    rain = rainy.locator("canvas.rain")
    expect(rain).to_have_js_property("width", width // 2)
    assert rain.bounding_box() == {"x": 0, "y": 0, "width": width, "height": height}
    assert rain.evaluate("its => its.height") <= height / 2
    assert rain.evaluate("its => getComputedStyle(its).pointerEvents") == "none"


@pytest.mark.requirement("DSH-18")
def test_the_rain_pauses_while_nobody_looks(rainy: Page) -> None:
    rainy.evaluate(HIDE, arg=True)
    assert pictures_in(rainy, 10) == 0
    rainy.evaluate(HIDE, arg=False)
    assert pictures_in(rainy, 2) > 0


@pytest.mark.requirement("DSH-18", "DSH-01")
def test_without_motion_there_is_no_rain_and_nothing_else_that_moves(
    stage: Stage, new_page: NewPage
) -> None:
    page = open_page(new_page, motion="no-preference")
    open_dashboard(stage, page)
    rain = page.locator("canvas.rain")
    expect(rain).to_be_visible()
    page.emulate_media(reduced_motion="reduce")
    expect(rain).to_have_count(0)
    page.reload()
    figures("EDGE")(stage, page)
    expect(rain).to_have_count(0)
    assert page.evaluate("document.getAnimations().length") == 0


BOOT = "counts only; nothing was said"
NOTE_BOOT = """new MutationObserver(() => {
    window.booted ||= document.querySelector(".boot") !== null;
}).observe(document, { childList: true, subtree: true })"""


@pytest.fixture
def booting(stage: Stage, new_page: NewPage) -> Page:
    """The page of somebody who was here before, at the moment of its start: time stands still."""
    page = open_page(new_page, motion="no-preference")
    open_dashboard(stage, page)
    page.clock.pause_at("2026-11-18T12:30:00Z")
    page.reload()
    expect(page.get_by_text(BOOT)).to_have_count(1)
    return page


@pytest.mark.requirement("DSH-03")
def test_the_boot_screen_is_gone_after_900_milliseconds(booting: Page) -> None:
    booting.clock.run_for(100)
    expect(booting.get_by_text(BOOT)).to_have_count(1)
    booting.clock.run_for(800)
    expect(booting.get_by_text(BOOT)).to_have_count(0)


@pytest.mark.requirement("DSH-03")
@pytest.mark.parametrize("lift", ["key", "click"])
def test_the_boot_screen_is_gone_at_once_when_somebody_acts(booting: Page, lift: str) -> None:
    booting.clock.run_for(100)
    booting.keyboard.press("x") if lift == "key" else booting.mouse.click(700, 400)
    expect(booting.get_by_text(BOOT)).to_have_count(0)


@pytest.mark.requirement("DSH-03")
def test_figures_arrive_behind_the_boot_screen(booting: Page) -> None:
    questions = {"usage-summary", "usage-monthly", "usage-heatmap", "usage-model-breakdown"}
    answered: set[str] = set()
    booting.on(
        "requestfinished",
        lambda its: answered.add(its.url.partition("vibescore-")[2].partition("?")[0]),
    )
    booting.clock.run_for(100)
    for box in ("Core index", "Trend", "Activity"):
        expect(booting.get_by_role("region", name=box)).to_contain_text("updated 12:30")
    expect(booting.get_by_text(BOOT)).to_have_count(1)
    assert questions <= answered


@pytest.mark.requirement("DSH-03")
def test_nobody_who_signs_in_meets_the_boot_screen(stage: Stage, new_page: NewPage) -> None:
    page = open_page(new_page, motion="no-preference")
    page.add_init_script(NOTE_BOOT)
    page.clock.install(time=NOW)
    page.goto(f"{stage.server.url}/sign-in")
    Pages(page).sign_in(stage.ada.email)
    figures("EDGE")(stage, page)
    assert not page.evaluate("window.booted")
    page.reload()
    page.wait_for_function("window.booted")


@pytest.mark.requirement("DSH-01")
def test_wide_screens_are_used(stage: Stage, new_page: NewPage) -> None:
    page = open_page(new_page, WALL)
    open_dashboard(stage, page, "month")
    boxes = [box.bounding_box() for box in page.get_by_role("region").all()]
    left = min(box["x"] for box in boxes if box)
    right = max(box["x"] + box["width"] for box in boxes if box)
    assert right - left > 0.9 * WALL[0]
    details = page.get_by_role("region", name="Details").bounding_box()
    assert details
    assert details["y"] + details["height"] < WALL[1], "a month is seen without scrolling"


@pytest.mark.requirement("DSH-01")
def test_paper_gets_ink_and_nothing_to_press(stage: Stage, new_page: NewPage, axe: str) -> None:
    page = open_page(new_page)
    open_dashboard(stage, page, "month")
    page.emulate_media(media="print", reduced_motion="reduce")
    page.set_viewport_size({"width": 720, "height": 1000})
    for word in ("Dashboard", "Refresh", "Keyboard"):
        expect(page.get_by_text(word, exact=True).first).to_be_hidden()
    expect(page.get_by_text("2026-11-01 – 2026-11-18")).to_be_visible()
    assert (
        page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    look(page, axe, print=True)
    scrolled, seen = page.evaluate(WIDTHS)
    assert scrolled <= seen


PAIRS = [
    *(
        (text, ground)
        for text in ("bright", "text", "dim", "accent", "money", "alert")
        for ground in ("ground", "panel", "raised")
    ),
    ("on-accent", "accent"),
    ("on-accent", "bright"),
    ("text", "line"),
    ("ground", "bright"),
]
COLOUR = """name => {
    const probe = document.createElement("p");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
}"""


@pytest.mark.requirement("DSH-01")
@pytest.mark.parametrize("medium", ["screen", "print"])
def test_every_colour_of_text_stands_out_from_every_ground_it_is_used_on(
    medium: Any, stage: Stage, new_page: NewPage
) -> None:
    page = open_page(new_page)
    page.goto(stage.server.url)
    page.emulate_media(media=medium)
    names = {name for pair in PAIRS for name in pair}
    colours = {name: page.evaluate(COLOUR, name) for name in names}
    assert len(set(colours.values())) > 5
    for text, ground in PAIRS:
        if medium == "print" and ground in ("line", "accent", "bright"):
            continue  # of what is pressed
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


SHIFTS = """
    window.shifts = [];
    window.watch = new PerformanceObserver(list => shifts.push(...list.getEntries()));
    watch.observe({ type: "layout-shift", buffered: true });
"""
SHIFTED = """async () => {
    await document.fonts.ready;
    const all = [...shifts, ...watch.takeRecords()];
    return all.reduce((sum, { value }) => sum + value, 0);
}"""


@pytest.mark.requirement("DSH-01", "DSH-17")
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("period", ["day", "week", "month", "total"])
def test_nothing_moves_when_figures_arrive(
    size: tuple[int, int], period: str, stage: Stage, new_page: NewPage
) -> None:
    page = open_page(new_page, size)
    page.add_init_script(SHIFTS)
    open_dashboard(stage, page, period)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert page.evaluate(SHIFTED) < 0.05
    page.reload()
    figures("EDGE")(stage, page)
    assert page.evaluate(SHIFTED) < 0.05


def channel(part: str) -> float:
    """Linear light of a colour's part (WCAG 2.2, relative luminance)."""
    value = int(part) / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    """Of `rgb(1, 2, 3)`."""
    red, green, blue = (channel(part) for part in re.findall(r"\d+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)

"""What is drawn in the trend: read from the pixels, and from the words written among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from playwright.sync_api import Page
from screen import Screen, tokens_of

NOTED = """
(() => {
  const { clearRect, fillText } = CanvasRenderingContext2D.prototype;
  window.written = new WeakMap();
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    written.set(this.canvas, []);
    clearRect.apply(this, box);
  };
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    written.get(this.canvas)?.push([String(text), x, y]);
    fillText.call(this, text, x, y);
  };
})()
"""
"""A page has no other way to say what it writes on a canvas, and where."""

READ = r"""
canvas => {
  const { width, height } = canvas;
  const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0);
  const { data } = pen.getImageData(0, 0, width, height);
  const style = getComputedStyle(document.documentElement);
  const find = (name) => {
    pen.fillStyle = style.getPropertyValue(name);
    const ink = pen.fillStyle.match(/\w\w/g).map((part) => parseInt(part, 16));
    const pixels = [];
    for (let at = 0; at < data.length; at += 4) {
      const off = ink.reduce((sum, each, part) => sum + Math.abs(data[at + part] - each), 0);
      const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)];
      if (data[at + 3] > 180 && off < 60) pixels.push([x, y]);
    }
    return pixels;
  };
  const frame = canvas.getBoundingClientRect();
  const field = canvas.parentElement.querySelector(".u-over").getBoundingClientRect();
  return {
    line: find("--accent"),
    gap: find("--dim"),
    words: written.get(canvas),
    field: [field.x - frame.x, field.y - frame.y, field.width, field.height],
  };
}
"""
"""Pixels of the theme's colours for a curve and for what is not synced; and where all this is."""

EDGE = 3
"""Pixels: half a mark of the curve, which may reach out of the field."""


class Word(NamedTuple):
    """A label of an axis, and where it stands."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class Chart:
    """A drawing, in pixels; the field is where there can be a curve."""

    slots: int
    left: float
    top: float
    width: float
    height: float
    line: frozenset[tuple[int, int]]
    gap: frozenset[tuple[int, int]]
    words: Sequence[Word]

    @classmethod
    def of(cls, screen: Screen, slots: int) -> Chart:
        """The trend as it is now, its field divided by so many slots."""
        drawn: dict[str, Any] = screen.panel("Trend").locator("canvas").evaluate(READ)
        line, gap = (frozenset((x, y) for x, y in drawn[ink]) for ink in ("line", "gap"))
        field: tuple[float, float, float, float] = drawn["field"]
        return cls(slots, *field, line, gap, [Word(*each) for each in drawn["words"]])

    def x(self, slot: float) -> float:
        return self.left + slot * self.width / (self.slots - 1)

    @property
    def x_labels(self) -> dict[int, str]:
        """Words under the field, by the slot that they stand under."""
        under = [word for word in self.words if word.y > self.top + self.height]
        step = self.width / (self.slots - 1)
        return {round((word.x - self.left) / step): word.text for word in under}

    @property
    def y_labels(self) -> list[str]:
        """Words left of the field, from the lowest to the highest."""
        return [word.text for word in self._heights]

    @property
    def _heights(self) -> list[Word]:
        return sorted((word for word in self.words if word.x < self.left), key=lambda its: -its.y)

    def is_drawn(self, slot: float) -> bool:
        """Whether the curve is there; also between two slots."""
        return self._is_near(slot, 1, self.line)

    def is_hatched(self, slot: float) -> bool:
        """Whether what is not synced is marked there; a dotted line has gaps."""
        return self._is_near(slot, 3, self.gap)

    def passes(self, slot: int, tokens: int) -> bool:
        """Whether the curve goes through so many tokens, by the labels of its own axis."""
        return (round(self.x(slot)), round(self.y(tokens))) in self.line

    def y(self, tokens: int) -> float:
        bottom, *_, top = self._heights
        return bottom.y - tokens / tokens_of(top.text) * (bottom.y - top.y)

    def _is_near(self, slot: float, reach: int, ink: frozenset[tuple[int, int]]) -> bool:
        """Whether that ink is in the field, not further from a slot than so many columns."""
        at, top, bottom = round(self.x(slot)), self.top - EDGE, self.top + self.height
        return any(abs(x - at) <= reach and top <= y <= bottom for x, y in ink)


def note_words(page: Page) -> None:
    """From the next page on, words on canvases can be read."""
    page.add_init_script(NOTED)

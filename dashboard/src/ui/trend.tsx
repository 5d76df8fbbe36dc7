import type { ComponentChildren } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { exact, fraction } from "#data/numbers.ts";
import type { Trend, TrendPoint } from "#data/trend.ts";
import { scaleOf, segmentsOf } from "#data/trend.ts";
import { Tip } from "./tip.tsx";
import "./trend.css";

/** Letters beside the curve: of the y axis, and of half a word below the end of the x axis. */
const LEFT = 7.5;
const RIGHT = 3;

/** Letters between two words below the x axis. */
const BETWEEN = 2;

/** Width of a letter, as a part of its size. */
const LETTER = 0.6;

interface TrendChartProps {
  trend: Trend;
  /** What the picture shows, for those who do not see it. */
  label: string;
  /** What stands for an hour that was not synced. */
  missing: string;
  unit: string;
  /** The time zone of all dates. */
  basis: string;
}

/**
 * Tokens over time (DSH-07): a line where figures are known, a hatched gap where they are not synced
 * yet, nothing in the future. Pointer and arrow keys read single values.
 */
export function TrendChart({ trend, label, missing, unit, basis }: TrendChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [slot, setSlot] = useState<number | null>(null);
  const [, followSize] = useReducer((count: number) => count + 1, 0);

  useEffect(() => {
    if (!frame.current) return;
    const made = draw(frame.current, trend, setSlot);
    plot.current = made;
    setSlot(null);
    const watch = new ResizeObserver(([entry]) => {
      if (!entry) return;
      made.setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
      read(made, made.cursor.idx ?? null);
      followSize(null);
    });
    watch.observe(frame.current);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [trend]);

  const point = trend.points.find((each) => each.slot === slot);
  const walk = (event: KeyboardEvent) => {
    const to = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const last = trend.points.length - 1;
    if (to === undefined || last < 0) return;
    event.preventDefault();
    const here = trend.points.findIndex((each) => each.slot === slot);
    const from = here < 0 ? trend.points.length : here;
    const next = Math.max(0, Math.min(last, from + to));
    if (plot.current) read(plot.current, trend.points[next]?.slot ?? null);
  };

  return (
    <div
      role="application"
      class="trend"
      aria-label={label}
      tabIndex={0}
      onKeyDown={walk}
      onBlur={() => setSlot(null)}
    >
      <div ref={frame} class="trend" aria-hidden="true" />
      <span key={`${trend.peak}`} class="trend-sweep" />
      {point && plot.current && (
        <Tip {...tipAt(plot.current, point)}>
          <strong>{point.missing ? missing : `${exact(point.tokens)} ${unit}`}</strong>
          {point.label} · {basis}
        </Tip>
      )}
    </div>
  );
}

/** What the marks of the picture mean. */
export function TrendLegend({ known, missing }: { known: string; missing: string }) {
  return (
    <span class="legend">
      <Item mark="line">{known}</Item>
      <Item mark="missing">{missing}</Item>
    </span>
  );
}

function Item({ mark, children }: { mark: string; children: ComponentChildren }) {
  return (
    <span class="legend-item">
      <span class={`legend-${mark}`} />
      {children}
    </span>
  );
}

/** Height of a value, as a part of the scale: exact for numbers that a double cannot hold. */
function heightOf(point: TrendPoint | undefined, top: number): number | null {
  return point && !point.missing ? fraction(point.tokens, BigInt(top)) : null;
}

function draw(frame: HTMLElement, trend: Trend, onSlot: (slot: number | null) => void): uPlot {
  const ink = inkOf(frame);
  frame.dataset.drawn = ink.scheme;
  const scale = scaleOf(trend.peak);
  const bySlot = new Map(trend.points.map((point) => [point.slot, point]));
  const slots = Array.from({ length: trend.slots }, (_, slot) => slot);
  const heights = slots.map((slot) => heightOf(bySlot.get(slot), scale.top));
  const axis = { stroke: ink.dim, font: ink.font, ticks: { show: false } };
  const options: uPlot.Options = {
    width: frame.clientWidth,
    height: frame.clientHeight,
    padding: [8, RIGHT * ink.letter, 0, 0],
    legend: { show: false },
    scales: { x: { time: false, range: [0, Math.max(1, trend.slots - 1)] }, y: { range: [0, 1] } },
    axes: [
      {
        ...axis,
        size: 2.2 * ink.size,
        gap: 8,
        grid: { show: false },
        splits: (plot) => roomyTicks(plot, trend, ink).map(({ slot }) => slot),
        values: (plot) => roomyTicks(plot, trend, ink).map(({ text }) => text),
      },
      {
        ...axis,
        size: LEFT * ink.letter,
        grid: { stroke: ink.grid, width: 1 },
        splits: () => scale.steps.map(({ at }) => at / scale.top),
        values: () => scale.steps.map(({ text }) => text),
      },
    ],
    series: [
      {},
      {
        stroke: ink.accent,
        width: 2,
        fill: (plot) => fade(plot, ink),
        points: { show: true, size: 5, stroke: ink.accent, fill: ink.accent },
      },
    ],
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 11, stroke: () => ink.ground, fill: () => ink.bright },
    },
    hooks: {
      drawAxes: [(plot) => hatch(plot, trend, ink)],
      setCursor: [
        (plot) => onSlot(bySlot.has(plot.cursor.idx ?? -1) ? (plot.cursor.idx ?? null) : null),
      ],
    },
  };
  return new uPlot(options, [slots, heights], frame);
}

/** Every tick, or every second, or every third …: as many as have room for their words. */
function roomyTicks(plot: uPlot, { slots, ticks }: Trend, { letter }: Ink): Trend["ticks"] {
  const widest = Math.max(...ticks.map(({ text }) => text.length)) + BETWEEN;
  const letters = plot.width / letter - LEFT - RIGHT;
  const apart = (ticks[1]?.slot ?? 0) - (ticks[0]?.slot ?? 0);
  const room = (apart * letters) / Math.max(1, slots - 1);
  const step = Math.max(1, Math.ceil(widest / room));
  return ticks.filter((_, index) => index % step === 0);
}

/** Marks what was not synced: a hatched field over a dotted line where the curve would be. */
function hatch(plot: uPlot, trend: Trend, ink: Ink): void {
  const { ctx: pen, bbox } = plot;
  const half = bbox.width / Math.max(1, trend.slots - 1) / 2;
  const ratio = devicePixelRatio;
  pen.save();
  pen.beginPath();
  pen.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  pen.clip();
  for (const { from, to } of segmentsOf(trend).filter(({ kind }) => kind === "missing")) {
    const left = plot.valToPos(from, "x", true) - half;
    const right = plot.valToPos(to, "x", true) + half;
    pen.beginPath();
    pen.strokeStyle = ink.grid;
    pen.lineWidth = ratio;
    for (let x = left - bbox.height; x < right; x += 8 * ratio) {
      const cutLeft = Math.max(0, left - x);
      const cutRight = Math.min(bbox.height, right - x);
      if (cutRight <= cutLeft) continue;
      pen.moveTo(x + cutLeft, bbox.top + bbox.height - cutLeft);
      pen.lineTo(x + cutRight, bbox.top + bbox.height - cutRight);
    }
    pen.stroke();
    pen.beginPath();
    pen.strokeStyle = ink.dim;
    pen.lineWidth = 2 * ratio;
    pen.setLineDash([2 * ratio, 4 * ratio]);
    pen.moveTo(left, bbox.top + bbox.height - ratio);
    pen.lineTo(right, bbox.top + bbox.height - ratio);
    pen.stroke();
    pen.setLineDash([]);
  }
  pen.restore();
}

function fade(plot: uPlot, ink: Ink): CanvasGradient {
  const { top, height } = plot.bbox;
  const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, ink.from);
  gradient.addColorStop(1, ink.to);
  return gradient;
}

/** The theme's colours: a canvas does not inherit them. */
function inkOf(element: HTMLElement) {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const size = 0.8 * Number.parseFloat(style.fontSize);
  return {
    accent: of("--accent"),
    bright: of("--bright"),
    dim: of("--dim"),
    grid: of("--grid"),
    ground: of("--ground"),
    from: of("--fill-from"),
    to: of("--fill-to"),
    font: `${size}px ${of("--mono")}`,
    size,
    letter: LETTER * size,
    scheme: of("--scheme"),
  };
}

type Ink = ReturnType<typeof inkOf>;

/** As if the pointer stood there. */
function read(plot: uPlot, slot: number | null): void {
  if (slot !== null) plot.setCursor({ left: plot.valToPos(slot, "x"), top: 0 });
}

/** Next to the point, in pixels of the frame. */
function tipAt(plot: uPlot, point: TrendPoint): { x: number; y: number } {
  const height = plot.data[1]?.[point.slot] ?? 0;
  const ratio = devicePixelRatio;
  return {
    x: plot.valToPos(point.slot, "x") + plot.bbox.left / ratio,
    y: plot.valToPos(height ?? 0, "y") + plot.bbox.top / ratio,
  };
}

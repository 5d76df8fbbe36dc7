import { useEffect, useRef, useState } from "preact/hooks";
import type { HeatCell, HeatGrid } from "#data/heatmap.ts";
import { exact } from "#data/numbers.ts";
import { Tip } from "./tip.tsx";
import "./heatmap.css";

/** Of the drawing: a cell and the way to the next one. */
const CELL = 11;
const STEP = 14;
const LEFT = 28;
const TOP = 14;

const LEVELS = [0, 1, 2, 3, 4] as const;

interface HeatmapProps {
  grid: HeatGrid;
  /** What the picture shows, for those who do not see it. */
  label: string;
  /** Names of the first, third and fifth day of a week. */
  days: [string, string, string];
  unit: string;
}

interface Place {
  week: number;
  day: number;
}

/** A year of days, a column for a week (DSH-04). Pointer and arrow keys read single days. */
export function Heatmap({ grid, label, days, unit }: HeatmapProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<Place | null>(null);
  useEffect(() => {
    frame.current?.scrollTo({ left: frame.current.scrollWidth });
  }, [grid]);

  const cell = place && cellAt(grid, place);
  const walk = (event: KeyboardEvent) => {
    const next = walked(grid, place, event.key);
    if (!next) return;
    event.preventDefault();
    setPlace(next);
  };
  const point = (event: PointerEvent) => {
    const { week, day } = (event.target as SVGElement).dataset;
    setPlace(week && day ? { week: Number(week), day: Number(day) } : null);
  };

  return (
    <div
      role="application"
      ref={frame}
      class="heatmap"
      aria-label={label}
      tabIndex={0}
      onKeyDown={walk}
      onBlur={() => setPlace(null)}
      onPointerMove={point}
      onPointerLeave={() => setPlace(null)}
    >
      <svg viewBox={`0 0 ${LEFT + grid.weeks.length * STEP} ${TOP + 7 * STEP}`} aria-hidden="true">
        {grid.months.map(({ column, text }) => (
          <text key={column} x={LEFT + column * STEP} y={9}>
            {text}
          </text>
        ))}
        {days.map((text, index) => (
          <text key={text} x={0} y={TOP + index * 2 * STEP + 9}>
            {text}
          </text>
        ))}
        <Cells grid={grid} />
        {place && cell && <rect class={`here level-${cell.level}`} {...boxOf(place)} />}
      </svg>
      {place && cell && (
        <Tip {...tipAt(frame.current, grid, place)}>
          <strong>
            {exact(cell.tokens)} {unit}
          </strong>
          {cell.label}
        </Tip>
      )}
    </div>
  );
}

function Cells({ grid }: { grid: HeatGrid }) {
  return (
    <>
      {grid.weeks.map((cells, week) =>
        cells.map(
          (cell, day) =>
            cell && (
              <rect
                key={cell.day}
                class={`level-${cell.level}`}
                data-week={week}
                data-day={day}
                data-level={cell.level}
                {...boxOf({ week, day })}
              />
            ),
        ),
      )}
    </>
  );
}

/** From little to much. */
export function Levels({ less, more }: { less: string; more: string }) {
  return (
    <span class="levels">
      {less}
      {LEVELS.map((level) => (
        <svg key={level} viewBox="0 0 10 10" aria-hidden="true">
          <rect class={`level-${level}`} width="10" height="10" />
        </svg>
      ))}
      {more}
    </span>
  );
}

function boxOf({ week, day }: Place) {
  return { x: LEFT + week * STEP, y: TOP + day * STEP, width: CELL, height: CELL };
}

function cellAt(grid: HeatGrid, { week, day }: Place): HeatCell | null {
  return grid.weeks[week]?.[day] ?? null;
}

const WAYS: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7 };

/** Where a key leads from a place, from nowhere to the last day; null: nowhere. */
function walked(grid: HeatGrid, place: Place | null, key: string): Place | null {
  const way = WAYS[key];
  if (way === undefined) return null;
  const all = grid.weeks.flatMap((cells, week) =>
    cells.flatMap((cell, day) => (cell ? [{ week, day }] : [])),
  );
  if (!place) return all.at(-1) ?? null;
  const index = place.week * 7 + place.day + way;
  const next = { week: Math.floor(index / 7), day: ((index % 7) + 7) % 7 };
  return cellAt(grid, next) ? next : place;
}

/** Next to a cell, in pixels of the frame. */
function tipAt(frame: HTMLElement | null, grid: HeatGrid, place: Place): { x: number; y: number } {
  const drawing = frame?.firstElementChild?.clientWidth ?? 0;
  const scale = drawing / (LEFT + grid.weeks.length * STEP);
  const box = boxOf(place);
  return { x: (box.x + CELL) * scale, y: box.y * scale };
}

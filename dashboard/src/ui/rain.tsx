import { useEffect, useRef } from "preact/hooks";
import { STILL, useMedia } from "./media.ts";
import "./rain.css";

/** Pictures a second (DSH-18: at most 8): whatever draws more keeps an idle computer awake. */
const RATE = 3;

/** Internal pixels for a pixel of the screen (DSH-18: at most 0.5). */
const SCALE = 0.5;

const CELL = 9;
const GLYPHS = "0123456789ABCDEF+-*/<>=:;{}[]";

/** Faint rain behind everything: slow, coarse, still when hidden, absent where motion is unwanted. */
export function Rain() {
  return useMedia(STILL) ? null : <Falling />;
}

function Falling() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => (canvas.current ? fall(canvas.current) : undefined), []);
  return (
    <canvas ref={canvas} class="rain" aria-hidden="true" data-rate={RATE} data-scale={SCALE} />
  );
}

/** Lets it rain; returns what ends it. */
function fall(canvas: HTMLCanvasElement): () => void {
  const pen = canvas.getContext("2d");
  if (!pen) return () => {};
  const colour = getComputedStyle(canvas).getPropertyValue("--rain");
  let drops: number[] = [];
  let timer: ReturnType<typeof setInterval> | undefined;

  const measure = () => {
    canvas.width = Math.floor(innerWidth * SCALE);
    canvas.height = Math.floor(innerHeight * SCALE);
    const rows = canvas.height / CELL;
    drops = Array.from({ length: Math.ceil(canvas.width / CELL) }, () => Math.random() * rows * 2);
    pen.font = `${CELL}px monospace`;
  };
  const draw = () => {
    pen.globalCompositeOperation = "destination-out";
    pen.fillStyle = "rgb(0 0 0 / 14%)";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.globalCompositeOperation = "source-over";
    pen.fillStyle = colour;
    const rows = canvas.height / CELL;
    drops = drops.map((row, column) => {
      const glyph = GLYPHS[Math.floor(Math.random() * GLYPHS.length)] ?? "0";
      pen.fillText(glyph, column * CELL, (row - rows) * CELL);
      return row > rows * 2 + Math.random() * rows ? Math.random() * rows : row + 1;
    });
  };
  const turn = () => {
    clearInterval(timer);
    if (!document.hidden) timer = setInterval(draw, 1000 / RATE);
  };

  measure();
  turn();
  addEventListener("resize", measure);
  document.addEventListener("visibilitychange", turn);
  return () => {
    clearInterval(timer);
    removeEventListener("resize", measure);
    document.removeEventListener("visibilitychange", turn);
  };
}

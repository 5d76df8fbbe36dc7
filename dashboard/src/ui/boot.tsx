import { useEffect, useState } from "preact/hooks";
import { STILL, useMedia } from "./media.ts";
import "./boot.css";

/** Milliseconds until it is gone by itself (DSH-03: at most 900). */
const LASTS = 800;

/** A curtain in front of a page which loads behind it; any key or click lifts it at once (DSH-03). */
export function Boot({ lines }: { lines: string[] }) {
  const [up, setUp] = useState(true);
  const still = useMedia(STILL);
  useEffect(() => {
    const lift = () => setUp(false);
    const timer = setTimeout(lift, LASTS);
    addEventListener("keydown", lift);
    addEventListener("pointerdown", lift);
    return () => {
      clearTimeout(timer);
      removeEventListener("keydown", lift);
      removeEventListener("pointerdown", lift);
    };
  }, []);
  if (!up || still) return null;
  return (
    <div class="boot" aria-hidden="true">
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}

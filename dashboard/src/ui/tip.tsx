import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import "./tip.css";

interface TipProps {
  /** Pixels within the frame it stands in, which is positioned. */
  x: number;
  y: number;
  children: ComponentChildren;
}

/** A note at a place of a picture, kept inside what is seen of its frame. */
export function Tip({ x, y, children }: TipProps) {
  const tip = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = tip.current;
    const frame = box?.offsetParent;
    if (!box || !frame) return;
    const start = frame.scrollLeft;
    const width = Math.ceil(box.getBoundingClientRect().width);
    const end = start + frame.clientWidth - width;
    const left = Math.max(start, Math.min(x + 12, end));
    const below = y - box.offsetHeight - 12 < 0;
    const top = below ? y + 16 : y - box.offsetHeight - 12;
    box.style.transform = `translate(${left}px, ${top}px)`;
  });
  return (
    <div ref={tip} class="tip" role="status">
      {children}
    </div>
  );
}

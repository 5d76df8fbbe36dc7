import "./source.css";

/** Where the figures of a panel come from: the server, what was last known, or made up (DSH-11). */
export type Source = "EDGE" | "CACHE" | "MOCK";

/** Null: nobody has answered yet. */
export function SourceMark({ source }: { source: Source | null }) {
  const look = source ? `source source-${source.toLowerCase()}` : "source";
  return <span class={look}>DATA_SOURCE: {source ?? "…"}</span>;
}

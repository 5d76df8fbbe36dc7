import type { ComponentChildren } from "preact";
import "./banner.css";

interface BannerProps {
  /** An alert interrupts; a note waits. */
  kind: "alert" | "note";
  action?: ComponentChildren;
  children: ComponentChildren;
}

/** Something that has to be known before reading on. */
export function Banner({ kind, action, children }: BannerProps) {
  return (
    <div class={`banner banner-${kind}`} role={kind === "alert" ? "alert" : "status"}>
      <span>{children}</span>
      {action}
    </div>
  );
}

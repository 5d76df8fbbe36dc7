import type { ComponentChildren } from "preact";
import { useMedia } from "./media.ts";
import "./print.css";
import "./shell.css";

interface ShellProps {
  brand: string;
  skip: string;
  nav?: ComponentChildren;
  end?: ComponentChildren;
  foot: ComponentChildren;
  children: ComponentChildren;
}

/** What surrounds every page. */
export function Shell({ brand, skip, nav, end, foot, children }: ShellProps) {
  const narrow = useMedia("(width < 720px)");
  const edge = <div class="top-end">{end}</div>;
  return (
    <div class="shell">
      <a class="skip" href="#content">
        {skip}
      </a>
      <header class="top">
        <a class="brand" href="/">
          {brand}
        </a>
        {narrow && edge}
        {nav}
        {!narrow && edge}
      </header>
      <main id="content" class="content" tabIndex={-1}>
        {children}
      </main>
      <footer class="bottom">{foot}</footer>
    </div>
  );
}

/** Whether the server answers. */
export function State({ down, children }: { down: boolean; children: ComponentChildren }) {
  return (
    <span class={down ? "state state-down" : "state"} role="status">
      <span class="state-text">{children}</span>
    </span>
  );
}

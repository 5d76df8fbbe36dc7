import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import "./box.css";

interface BoxProps {
  title: string;
  aside?: ComponentChildren;
  foot?: ComponentChildren;
  /** Whether new figures are on their way. */
  busy?: boolean;
  /** Of the page's own outline. */
  level?: 1 | 2;
  class?: string;
  children: ComponentChildren;
}

/** A framed part of a page, its title sitting on the border. */
export function Box({ title, aside, foot, busy = false, level = 2, children, ...more }: BoxProps) {
  const id = useId();
  const Heading = `h${level}` as const;
  return (
    <section class={`box ${more.class ?? ""}`} aria-labelledby={id} aria-busy={busy}>
      <div class="box-head">
        <Heading id={id} class="box-title">
          {title}
        </Heading>
        {aside && <span class="box-aside">{aside}</span>}
      </div>
      <div class="box-body">{children}</div>
      {foot && <div class="box-foot">{foot}</div>}
    </section>
  );
}

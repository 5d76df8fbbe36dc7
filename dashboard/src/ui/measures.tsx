import type { ComponentChildren } from "preact";
import { Both } from "./table.tsx";
import "./measures.css";

/** The one number that matters most here. */
export function Hero({ value, exact, unit }: { value: string; exact: string; unit: string }) {
  return (
    <p class="hero" title={exact}>
      {value}
      <span class="hero-unit">{unit}</span>
    </p>
  );
}

export function Money({ children }: { children: ComponentChildren }) {
  return <span class="money">{children}</span>;
}

export interface Measure {
  label: string;
  value: string;
  /** For narrow screens. */
  short: string;
  share: string;
  /** The colour of its part in the stack. */
  tone?: 1 | 2 | 3;
}

/** Named numbers, aligned. */
export function Measures({ measures }: { measures: Measure[] }) {
  return (
    <dl class="measures">
      {measures.map(({ label, value, short, share, tone }) => (
        <div key={label} class="measure">
          <dt>
            {tone && <span class={`swatch tone-${tone}`} />}
            {label}
          </dt>
          <dd class="number" title={value}>
            <Both wide={value} narrow={short} />
          </dd>
          <dd class="number">{share}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Parts of a whole, in one line. */
export function Stack({ parts }: { parts: { tone: 1 | 2 | 3; fraction: number }[] }) {
  return (
    <div class="stack" aria-hidden="true">
      {parts
        .filter(({ fraction }) => fraction > 0)
        .map(({ tone, fraction }) => (
          <span key={tone} class={`tone-${tone}`} style={{ flexGrow: fraction }} />
        ))}
    </div>
  );
}

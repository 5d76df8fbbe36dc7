import type { ComponentChildren, Ref } from "preact";
import "./button.css";

interface Look {
  look?: "main" | "plain" | "alert";
  size?: "small" | "normal";
  children: ComponentChildren;
}

function looks({ look = "plain", size = "normal" }: Look): string {
  return `button button-${look} button-${size}`;
}

interface ButtonProps extends Look {
  type?: "button" | "submit";
  disabled?: boolean;
  title?: string;
  /** The id of the form that it sends, when it stands outside. */
  form?: string;
  "aria-label"?: string;
  onClick?: () => void;
  ref?: Ref<HTMLButtonElement>;
}

/** Does something. */
export function Button({ look = "plain", size = "normal", children, ...more }: ButtonProps) {
  return (
    <button type="button" class={looks({ look, size, children })} {...more}>
      {children}
    </button>
  );
}

/** Goes somewhere, and looks like a button; `loads` when that is not within the page. */
export function ButtonLink({ href, loads, ...more }: Look & { href: string; loads?: boolean }) {
  return (
    <a class={looks(more)} href={href} data-loads={loads}>
      {more.children}
    </a>
  );
}

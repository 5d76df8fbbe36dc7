import type { ComponentChildren } from "preact";
import { Button } from "./button.tsx";
import "./table.css";

export interface TableColumn<C extends string> {
  id: C;
  label: string;
  /** For narrow screens. */
  short?: string;
  number?: boolean;
  /** Not there on narrow screens; its cells have the class `wide` as well. */
  wide?: boolean;
}

interface TableProps<C extends string> {
  caption: string;
  columns: TableColumn<C>[];
  /** Which column the rows are ordered by; it alone has a mark. Without it, there is no ordering. */
  order?: { column: C; descending: boolean };
  onOrder?: (column: C) => void;
  children: ComponentChildren;
}

/** Rows under named columns, numbers to the right. What scrolls can be reached by keyboard. */
export function Table<C extends string>(props: TableProps<C>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: it groups no fields.
    <div class="table-frame" role="group" aria-label={props.caption} tabIndex={0}>
      <table class="table">
        <caption class="unseen">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <Head key={column.id} column={column} {...props} />
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

function Head<C extends string>({
  column,
  order,
  onOrder,
}: Pick<TableProps<C>, "order" | "onOrder"> & { column: TableColumn<C> }) {
  const active = order?.column === column.id;
  const direction = order?.descending ? "descending" : "ascending";
  const label = <Both wide={column.label} narrow={column.short ?? column.label} />;
  return (
    <th
      scope="col"
      class={[column.number && "number", column.wide && "wide"].filter(Boolean).join(" ")}
      aria-sort={active ? direction : undefined}
    >
      {onOrder ? (
        <button type="button" class="bare" onClick={() => onOrder(column.id)}>
          {label}
          {active && <span aria-hidden="true">{order?.descending ? " ↓" : " ↑"}</span>}
        </button>
      ) : (
        label
      )}
    </th>
  );
}

/** A text, and what stands for it on a narrow screen. */
export function Both({ wide, narrow }: { wide: string; narrow: string }) {
  if (wide === narrow) return <>{wide}</>;
  return (
    <>
      <span class="wide">{wide}</span>
      <span class="narrow">{narrow}</span>
    </>
  );
}

interface PagerProps {
  page: number;
  pages: number;
  label: string;
  previous: string;
  next: string;
  onPage: (page: number) => void;
}

/** Turns pages, which count from 1; not there for a single one. */
export function Pager({ page, pages, label, previous, next, onPage }: PagerProps) {
  if (pages < 2) return null;
  return (
    <div class="pager">
      <Button size="small" disabled={page === 1} onClick={() => onPage(page - 1)}>
        {previous}
      </Button>
      <span aria-live="polite">{label}</span>
      <Button size="small" disabled={page === pages} onClick={() => onPage(page + 1)}>
        {next}
      </Button>
    </div>
  );
}

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Panel } from "#app/panel.ts";
import { PanelBox } from "#app/panel-box.tsx";
import { text } from "#copy/index.ts";
import {
  type Column,
  type DetailRow,
  detailsOfDays,
  detailsOfHours,
  detailsOfMonths,
  NEWEST_FIRST,
  nextOrder,
  pageOf,
  sorted,
} from "#data/details.ts";
import { compact, exact } from "#data/numbers.ts";
import type { Range } from "#data/periods.ts";
import type { Period } from "#data/wire.ts";
import { Both, Pager, Table, type TableColumn } from "#ui/table.tsx";
import type { Answers } from "./questions.ts";

const STEPS: Record<Period, string> = {
  day: text("details.box.day"),
  week: text("details.box.week"),
  month: text("details.box.month"),
  total: text("details.box.total"),
};

const NUMBERS = ["total", "input", "cached", "output", "reasoning"] as const;
const COLUMNS: TableColumn<Column>[] = [
  { id: "when", label: text("details.column.when") },
  { id: "total", label: text("details.column.total"), number: true },
  {
    id: "input",
    label: text("details.column.input"),
    short: text("details.short.input"),
    number: true,
  },
  {
    id: "cached",
    label: text("details.column.cached"),
    short: text("details.short.cached"),
    number: true,
  },
  {
    id: "output",
    label: text("details.column.output"),
    short: text("details.short.output"),
    number: true,
  },
  {
    id: "reasoning",
    label: text("details.column.reasoning"),
    short: text("details.short.reasoning"),
    number: true,
  },
];

/** The figures behind the curve, newest first (DSH-08). */
export function Details({ range, answers }: { range: Range; answers: Answers }) {
  const panel = useRows(range, answers);
  const [order, setOrder] = useState(NEWEST_FIRST);
  const [page, setPage] = useState(1);
  useEffect(() => setPage(1), [range.period, order]);
  return (
    <PanelBox
      title={text("details.box.title")}
      aside={STEPS[range.period]}
      panel={panel}
      class="details-box"
    >
      {(rows) => {
        const ordered = sorted(rows, order);
        const shown = isLong(range) ? pageOf(ordered, page) : { rows: ordered, page: 1, pages: 1 };
        return (
          <>
            <Table
              caption={text("details.box.title")}
              columns={COLUMNS}
              order={order}
              onOrder={(column) => setOrder(nextOrder(order, column))}
            >
              {shown.rows.map((row) => (
                <Row key={row.key} row={row} />
              ))}
            </Table>
            {rows.length === 0 && <p class="panel-empty">{text("details.box.empty")}</p>}
            <Pager
              page={shown.page}
              pages={shown.pages}
              label={text("details.pager.label", { page: shown.page, pages: shown.pages })}
              previous={text("details.pager.previous")}
              next={text("details.pager.next")}
              onPage={setPage}
            />
          </>
        );
      }}
    </PanelBox>
  );
}

/** Hours and months come in pages; a week or a month of days is seen as a whole. */
function isLong({ period }: Range): boolean {
  return period === "day" || period === "total";
}

function Row({ row: { label, short, missing, sums } }: { row: DetailRow }) {
  const when = <Both wide={label} narrow={short} />;
  if (missing) {
    return (
      <tr class="missing-row">
        <th scope="row">{when}</th>
        <td class="number" colSpan={NUMBERS.length}>
          {text("details.row.missing")}
        </td>
      </tr>
    );
  }
  return (
    <tr>
      <th scope="row">{when}</th>
      {NUMBERS.map((name) => (
        <td key={name} class={name === "total" ? "number strong" : "number"}>
          <Both wide={exact(sums[name])} narrow={compact(sums[name])} />
        </td>
      ))}
    </tr>
  );
}

/** The rows of the period's own question. */
function useRows({ period }: Range, { daily, hourly, monthly }: Answers): Panel<DetailRow[]> {
  const panel: Panel<unknown> = { day: hourly, week: daily, month: daily, total: monthly }[period];
  const rows = useMemo(() => {
    if (period === "day") return hourly.data && detailsOfHours(hourly.data, new Date());
    if (period === "total") return monthly.data && detailsOfMonths(monthly.data);
    return daily.data && detailsOfDays(daily.data);
  }, [panel.data, period]);
  return { ...panel, data: rows };
}

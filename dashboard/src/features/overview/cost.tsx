import { useState } from "preact/hooks";
import type { Panel } from "#app/panel.ts";
import { text } from "#copy/index.ts";
import { type ModelRow, modelRows } from "#data/models.ts";
import { compact, dollars, exact } from "#data/numbers.ts";
import type { ModelBreakdown } from "#data/wire.ts";
import { Dialog } from "#ui/dialog.tsx";
import { Money } from "#ui/measures.tsx";
import { Both, Table } from "#ui/table.tsx";

interface CostProps {
  /** US dollars. */
  usd: string;
  panel: Panel<ModelBreakdown>;
}

/** What everything cost, which opens what each model cost; both go with the total (DSH-14). */
export function Cost({ usd, panel }: CostProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="cost-button" onClick={() => setOpen(true)}>
        <span class="cost-label">{text("core.cost.label")}</span>
        <Money>{dollars(usd)}</Money>
      </button>
      {open && (
        <Dialog
          title={text("cost.box.title")}
          close={text("cost.box.close")}
          onClose={() => setOpen(false)}
        >
          {panel.data ? <Bill breakdown={panel.data} /> : <p>{text("cost.box.unknown")}</p>}
        </Dialog>
      )}
    </>
  );
}

function Bill({ breakdown }: { breakdown: ModelBreakdown }) {
  const unpriced = breakdown.pricing.unpriced_models;
  return (
    <div class="bill">
      <Table
        caption={text("cost.box.title")}
        columns={[
          { id: "model", label: text("cost.column.model") },
          { id: "source", label: text("cost.column.source"), wide: true },
          { id: "tokens", label: text("cost.column.tokens"), number: true },
          { id: "cost", label: text("cost.column.cost"), number: true },
        ]}
      >
        {modelRows(breakdown).map((row) => (
          <tr key={`${row.source} ${row.model}`}>
            <th scope="row" class="words">
              {row.model}
              <span class="narrow quiet"> {row.source}</span>
            </th>
            <td class="wide">{row.source}</td>
            <td class="number">
              <Both wide={exact(row.tokens)} narrow={compact(row.tokens)} />
            </td>
            <td class="number">
              <Price row={row} />
            </td>
          </tr>
        ))}
      </Table>
      {unpriced.length > 0 && (
        <p class="quiet">{text("cost.box.unpriced", { models: unpriced.join(", ") })}</p>
      )}
      <p class="quiet">{text("cost.box.basis")}</p>
    </div>
  );
}

/** A price that came later leaves days before it without one. */
function Price({ row: { cost, priced } }: { row: ModelRow }) {
  if (priced) return <Money>{cost}</Money>;
  if (cost === dollars("0")) return <span class="quiet">{text("cost.row.unpriced")}</span>;
  return (
    <>
      <span class="quiet">{text("cost.row.partly")}</span> <Money>{cost}</Money>
    </>
  );
}

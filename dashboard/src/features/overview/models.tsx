import type { Panel } from "#app/panel.ts";
import { PanelBox } from "#app/panel-box.tsx";
import { text } from "#copy/index.ts";
import { modelRows } from "#data/models.ts";
import { compact, exact } from "#data/numbers.ts";
import type { ModelBreakdown } from "#data/wire.ts";
import { Shares } from "#ui/shares.tsx";
import { mapped } from "./questions.ts";

/** Which models did it, by tokens (DSH-14). */
export function Models({ panel }: { panel: Panel<ModelBreakdown> }) {
  return (
    <PanelBox title={text("models.box.title")} panel={mapped(panel, modelRows)} class="models-box">
      {(rows) =>
        rows.length === 0 ? (
          <p class="panel-empty">{text("models.box.empty")}</p>
        ) : (
          <Shares
            shares={rows.map(({ source, model, tokens, share, fraction }) => ({
              key: `${source} ${model}`,
              name: model,
              from: source,
              value: compact(tokens),
              exact: exact(tokens),
              percent: share,
              fraction,
            }))}
          />
        )
      }
    </PanelBox>
  );
}

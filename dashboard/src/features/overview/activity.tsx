import { useMemo } from "preact/hooks";
import type { Panel } from "#app/panel.ts";
import { PanelBox } from "#app/panel-box.tsx";
import { text } from "#copy/index.ts";
import { gridOf } from "#data/heatmap.ts";
import type { Heatmap as Wire } from "#data/wire.ts";
import { Heatmap, Levels } from "#ui/heatmap.tsx";

/** A year of days (DSH-04). */
export function Activity({ panel }: { panel: Panel<Wire> }) {
  const grid = useMemo(() => panel.data && gridOf(panel.data), [panel.data]);
  return (
    <PanelBox
      title={text("activity.box.title")}
      aside={
        grid && text("activity.box.aside", { active: grid.activeDays, streak: grid.streakDays })
      }
      panel={{ ...panel, data: grid }}
      class="activity-box"
      foot={<Levels less={text("activity.legend.less")} more={text("activity.legend.more")} />}
    >
      {(data) => (
        <Heatmap
          grid={data}
          label={text("activity.chart.label", {
            active: data.activeDays,
            streak: data.streakDays,
          })}
          days={[text("activity.day.mon"), text("activity.day.wed"), text("activity.day.fri")]}
          unit={text("core.total.unit")}
        />
      )}
    </PanelBox>
  );
}

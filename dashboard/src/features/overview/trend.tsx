import { useMemo } from "preact/hooks";
import type { Panel } from "#app/panel.ts";
import { PanelBox } from "#app/panel-box.tsx";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import type { Range } from "#data/periods.ts";
import { type Trend as Curve, trendOfDays, trendOfHours, trendOfMonths } from "#data/trend.ts";
import type { Period } from "#data/wire.ts";
import { zoneName } from "#data/zone.ts";
import { TrendChart, TrendLegend } from "#ui/trend.tsx";
import { type Answers, mapped } from "./questions.ts";

const STEPS: Record<Period, string> = {
  day: text("trend.box.day"),
  week: text("trend.box.week"),
  month: text("trend.box.month"),
  total: text("trend.box.total"),
};

/** Usage over the period: hours of a day, days of a week or month, months of everything (DSH-07). */
export function Trend({ range, answers }: { range: Range; answers: Answers }) {
  const { zone } = useSession();
  const panel = useCurve(range, answers);
  return (
    <PanelBox
      title={text("trend.box.title")}
      aside={STEPS[range.period]}
      panel={panel}
      class="trend-box"
      foot={
        <TrendLegend known={text("trend.legend.known")} missing={text("trend.legend.missing")} />
      }
    >
      {(trend) => (
        <TrendChart
          trend={trend}
          label={text("trend.chart.label")}
          missing={text("trend.chart.missing")}
          unit={text("core.total.unit")}
          basis={zoneName(zone)}
        />
      )}
    </PanelBox>
  );
}

/** The curve of the period's own question; the same one until there are other figures. */
function useCurve(range: Range, { daily, hourly, monthly }: Answers): Panel<Curve> {
  const { period, from, to } = range;
  const panel: Panel<unknown> = { day: hourly, week: daily, month: daily, total: monthly }[period];
  const curve = useMemo(() => {
    if (period === "day") return hourly.data && trendOfHours(hourly.data, new Date());
    if (period === "total") return monthly.data && trendOfMonths(monthly.data);
    return daily.data && trendOfDays(daily.data, { period, from, to });
  }, [panel.data, period, from, to]);
  return { ...mapped(panel, () => null), data: curve };
}

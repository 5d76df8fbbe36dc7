import { text } from "#copy/index.ts";
import type { Period } from "#data/wire.ts";
import { Tabs } from "#ui/tabs.tsx";
import { useKeys } from "./keys.ts";
import { go, usePlace } from "./router.ts";

/** Periods are all that can be chosen; there are no date pickers (DSH-06). */
const PERIODS: Record<Period, string> = {
  day: text("periods.tab.day"),
  week: text("periods.tab.week"),
  month: text("periods.tab.month"),
  total: text("periods.tab.total"),
};

/** The period in the address, else the week. */
export function usePeriod(): Period {
  const named = usePlace().query.get("p");
  return isPeriod(named) ? named : "week";
}

/** A choice of periods for the page at `path`, also by their first letters. */
export function PeriodTabs({ path, period }: { path: string; period: Period }) {
  const show = (next: Period) => () => go(`${path}?p=${next}`, "replace");
  useKeys({ d: show("day"), w: show("week"), m: show("month"), t: show("total") });
  const tabs = Object.entries(PERIODS).map(([each, name]) => ({
    text: name,
    href: `${path}?p=${each}`,
    current: each === period,
  }));
  return <Tabs label={text("periods.tab.label")} tabs={tabs} />;
}

function isPeriod(named: string | null): named is Period {
  return named !== null && Object.hasOwn(PERIODS, named);
}

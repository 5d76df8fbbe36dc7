/** What the server answers about usage, for the made-up developer. */

import { pricingOf, sourcesOf, totalsOf } from "#api/mock/bill.ts";
import { dayRows, heatmapOf, hourRows, monthRows, utc } from "#api/mock/calendar.ts";
import { hoursOf, type Life, type Use } from "#api/mock/life.ts";
import type { Server } from "#api/server.ts";
import { addDays, addMonths, daysBetween, firstOf, monthOf, weekday } from "#data/days.ts";

const MONTHS = 24;
const DAYS_BEFORE_THIS_WEEK = 51 * 7;

type Usage = Pick<Server, "daily" | "hourly" | "monthly" | "summary" | "heatmap" | "models">;

export function usageOf(life: Life): Usage {
  return {
    daily: async ({ from, to }, zone) => {
      const uses = life.used(from, to, zone);
      return { from, to, data: dayRows(uses, from, to), summary: billOf(uses) };
    },
    hourly: async (day, zone) => {
      const synced = life.synced(zone);
      const data = hourRows(life.used(day, day, zone), hoursOf(day, zone), synced);
      return { day, data, sync: { last_sync_at: utc(synced), min_interval_minutes: 30 } };
    },
    monthly: async (to, zone) => {
      const from = firstOf(addMonths(monthOf(to), 1 - MONTHS));
      const data = monthRows(life.used(from, to, zone), to, MONTHS);
      return { from, to, months: MONTHS, data };
    },
    summary: async ({ from, to }, zone) => {
      const uses = life.used(from, to, zone);
      return { from, to, days: daysBetween(from, to) + 1, ...billOf(uses) };
    },
    heatmap: async (to, zone) => {
      const from = addDays(to, -weekday(to) - DAYS_BEFORE_THIS_WEEK);
      return heatmapOf(life.used(from, to, zone), from, to);
    },
    models: async ({ from, to }, zone) => {
      const uses = life.used(from, to, zone);
      const days = daysBetween(from, to) + 1;
      return { from, to, days, sources: sourcesOf(uses), pricing: pricingOf(uses) };
    },
  };
}

function billOf(uses: readonly Use[]) {
  return { totals: totalsOf(uses), pricing: pricingOf(uses) };
}

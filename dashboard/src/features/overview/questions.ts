import { useBoard } from "#app/board.ts";
import { type Panel, usePanel } from "#app/panel.ts";
import { useSession } from "#app/session.tsx";
import type { Range } from "#data/periods.ts";
import type {
  Board,
  Daily,
  Devices,
  Heatmap,
  Hourly,
  ModelBreakdown,
  Monthly,
  Summary,
} from "#data/wire.ts";

/** All that a dashboard asks: once per window and refresh, and no more than the period needs (DSH-09). */
export interface Answers {
  daily: Panel<Daily>;
  hourly: Panel<Hourly>;
  monthly: Panel<Monthly>;
  summary: Panel<Summary>;
  heatmap: Panel<Heatmap>;
  models: Panel<ModelBreakdown>;
  board: Panel<Board>;
  devices: Panel<Devices>;
}

export function useAnswers(range: Range): Answers {
  const { server, zone } = useSession();
  const { period, from, to } = range;
  const days = `${from}..${to}`;
  const isTotal = period === "total";
  return {
    daily: usePanel(isTotal ? null : "daily", days, () => server.daily(range, zone)),
    hourly: usePanel(period === "day" ? "hourly" : null, to, () => server.hourly(to, zone)),
    monthly: usePanel(isTotal ? "monthly" : null, to, () => server.monthly(to, zone)),
    summary: usePanel(isTotal ? "summary" : null, days, () => server.summary(range, zone)),
    heatmap: usePanel("heatmap", to, () => server.heatmap(to, zone)),
    models: usePanel("models", days, () => server.models(range, zone)),
    board: useBoard(period, { limit: 1, offset: 0 }),
    devices: usePanel("devices", "", () => server.devices()),
  };
}

/** A panel of the same origin with what another makes of its figures. */
export function mapped<T, U>(panel: Panel<T>, map: (data: T) => U): Panel<U> {
  return { ...panel, data: panel.data === null ? null : map(panel.data) };
}

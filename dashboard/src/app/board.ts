import { boardSince } from "#data/periods.ts";
import type { Board, Period } from "#data/wire.ts";
import { today, UTC } from "#data/zone.ts";
import { type Panel, usePanel } from "./panel.ts";
import { useSession } from "./session.tsx";

/** Places on the board of the period that it is now by UTC (DSH-13, DSH-14). */
export function useBoard(period: Period, part: { limit: number; offset: number }): Panel<Board> {
  const { server } = useSession();
  const since = boardSince(period, today(UTC, new Date()));
  const range = `${period} ${since} ${part.offset}+${part.limit}`;
  return usePanel("board", range, () => server.board(period, part));
}

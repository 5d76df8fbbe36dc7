import { PanelBox } from "#app/panel-box.tsx";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import { compact } from "#data/numbers.ts";
import type { Board, Period } from "#data/wire.ts";
import { today } from "#data/zone.ts";
import type { Answers } from "./questions.ts";

const RANKS: Record<Period, string> = {
  day: text("identity.rank.day"),
  week: text("identity.rank.week"),
  month: text("identity.rank.month"),
  total: text("identity.rank.total"),
};

/** Who this is, and their place on the board of the period (DSH-13). */
export function Identity({ period, answers }: { period: Period; answers: Answers }) {
  const { user, zone } = useSession();
  return (
    <PanelBox title={text("identity.box.title")} panel={answers.board} class="identity-box" brief>
      {(board) => (
        <>
          <p class="who">{user?.name ?? user?.email}</p>
          <p class="who-id">{user?.id}</p>
          <dl class="facts">
            <dt>{RANKS[period]}</dt>
            <dd>{rankOf(board)}</dd>
            <dt>{text("identity.board.tokens")}</dt>
            <dd>{compact(BigInt(board.me.total_tokens))}</dd>
            <dt>{text("identity.member.since")}</dt>
            <dd>{user && today(zone, new Date(user.createdAt))}</dd>
          </dl>
        </>
      )}
    </PanelBox>
  );
}

function rankOf({ me }: Board): string {
  return me.rank === null
    ? text("identity.rank.none")
    : text("identity.rank.value", { rank: me.rank });
}

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useBoard } from "#app/board.ts";
import { PanelBox } from "#app/panel-box.tsx";
import { PeriodTabs, usePeriod } from "#app/periods.tsx";
import { Publicity } from "#app/publicity.tsx";
import { text } from "#copy/index.ts";
import { type Day, dayName, monthLabel, monthOf } from "#data/days.ts";
import { compact, exact } from "#data/numbers.ts";
import type { Board, BoardEntry } from "#data/wire.ts";
import { Both, Pager, Table } from "#ui/table.tsx";

const PLACES_PER_PAGE = 20;

/** Who used how many tokens, by UTC periods; one's own place is always there (DSH-14). */
export function Leaderboard() {
  const period = usePeriod();
  const [page, setPage] = useState(1);
  const panel = useBoard(period, {
    limit: PLACES_PER_PAGE + 1,
    offset: (page - 1) * PLACES_PER_PAGE,
  });
  useEffect(() => setPage(1), [period]);
  return (
    <div class="reading">
      <h1 class="unseen">{text("leaderboard.page.title")}</h1>
      <PeriodTabs path="/leaderboard" period={period} />
      <PanelBox
        title={text("leaderboard.box.title")}
        aside={panel.data && <Days {...panel.data} />}
        panel={panel}
        brief
      >
        {(board) => (
          <>
            <Places board={board} />
            <Pager
              page={page}
              pages={hasMore(board) ? page + 1 : page}
              label={text("leaderboard.pager.label", { page })}
              previous={text("details.pager.previous")}
              next={text("details.pager.next")}
              onPage={setPage}
            />
          </>
        )}
      </PanelBox>
      <Publicity />
    </div>
  );
}

/** First and last day; on narrow screens without the year, or without the days of several years. */
function Days({ from, to }: Pick<Board, "from" | "to">) {
  const name = from.slice(0, 4) === to.slice(0, 4) ? dayName : monthOfDay;
  return (
    <Both
      wide={text("leaderboard.box.days", { from, to })}
      narrow={text("leaderboard.box.days", { from: name(from), to: name(to) })}
    />
  );
}

const monthOfDay = (day: Day) => monthLabel(monthOf(day));

/** A board does not tell how long it is: the place after the page does. */
function hasMore({ entries }: Board): boolean {
  return entries.length > PLACES_PER_PAGE;
}

function Places({ board: { entries, me } }: { board: Board }) {
  if (entries.length === 0) return <p class="panel-empty">{text("leaderboard.box.empty")}</p>;
  const shown = entries.slice(0, PLACES_PER_PAGE);
  return (
    <Table
      caption={text("leaderboard.box.title")}
      columns={[
        { id: "rank", label: text("leaderboard.column.rank"), number: true },
        { id: "name", label: text("leaderboard.column.name") },
        { id: "tokens", label: text("leaderboard.column.tokens"), number: true },
      ]}
    >
      {shown.map((entry, index) => (
        <Place key={index} {...entry}>
          <span class={entry.is_public ? undefined : "quiet"}>{entry.display_name}</span>
          {entry.is_me && <span class="quiet"> {text("leaderboard.row.you")}</span>}
        </Place>
      ))}
      {!shown.some((entry) => entry.is_me) && (
        <Place {...me} is_me>
          {text("leaderboard.row.me")}
        </Place>
      )}
    </Table>
  );
}

interface PlaceProps extends Pick<BoardEntry, "is_me" | "total_tokens"> {
  /** Null without tokens. */
  rank: number | null;
  children: ComponentChildren;
}

function Place({ rank, is_me, total_tokens, children }: PlaceProps) {
  const tokens = BigInt(total_tokens);
  return (
    <tr class={is_me ? "mine" : undefined} aria-current={is_me ? "true" : undefined}>
      <td class="number">{rank ?? text("leaderboard.row.unranked")}</td>
      <th scope="row">{children}</th>
      <td class="number strong">
        <Both wide={exact(tokens)} narrow={compact(tokens)} />
      </td>
    </tr>
  );
}

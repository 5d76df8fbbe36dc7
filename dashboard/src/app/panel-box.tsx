import type { ComponentChildren } from "preact";
import { text } from "#copy/index.ts";
import { localTime, today, type Zone, zoneLabel } from "#data/zone.ts";
import { Box } from "#ui/box.tsx";
import { Button } from "#ui/button.tsx";
import { SourceMark } from "#ui/source.tsx";
import type { Panel } from "./panel.ts";
import "./panel-box.css";
import { useSession } from "./session.tsx";

interface PanelBoxProps<T> {
  title: string;
  panel: Panel<T>;
  aside?: ComponentChildren;
  /** Before where the figures come from. */
  foot?: ComponentChildren;
  /** Says where its figures come from only when that is not the server. */
  brief?: boolean;
  class?: string;
  children: (data: T) => ComponentChildren;
}

/** A box of figures which says where they come from, when, and in which time zone (DSH-05, DSH-11). */
export function PanelBox<T>({
  title,
  panel,
  aside,
  foot,
  brief,
  children,
  ...more
}: PanelBoxProps<T>) {
  const waits = panel.data === null && panel.busy;
  const tells = panel.data === null ? waits && !brief : !(brief && isOnItsWay(panel));
  return (
    <Box
      title={title}
      aside={aside}
      busy={panel.busy}
      class={more.class ?? ""}
      foot={
        tells && (
          <>
            {foot}
            <Origin panel={panel} />
          </>
        )
      }
    >
      {panel.data === null ? <Without panel={panel} /> : children(panel.data)}
    </Box>
  );
}

/** The server has answered, or is about to: what comes and goes at once is not worth a word. */
function isOnItsWay({ source, failure }: Panel<unknown>): boolean {
  return source === "EDGE" || (source === "CACHE" && failure === null);
}

function Origin({ panel }: { panel: Panel<unknown> }) {
  const { zone } = useSession();
  const at = panel.at && timeOf(zone, panel.at);
  const cached = panel.source === "CACHE";
  return (
    <div class="origin">
      <SourceMark source={panel.data === null ? null : panel.source} />
      <span>
        {at &&
          (cached ? text("panel.origin.cached", { at }) : text("panel.origin.updated", { at }))}
        {at && " · "}
        {zoneLabel(zone, panel.at ?? new Date())}
      </span>
    </div>
  );
}

/** The time, with its day when that is not today. */
function timeOf(zone: Zone, at: Date): string {
  const time = localTime(zone, at);
  const day = `${today(zone, new Date())} `;
  return time.startsWith(day) ? time.slice(day.length) : time;
}

/** Before there are figures, or when there are none to be had. */
function Without({ panel }: { panel: Panel<unknown> }) {
  const { refresh } = useSession();
  if (panel.busy) {
    return (
      <div class="panel-wait">
        <span class="unseen">{text("panel.state.loading")}</span>
      </div>
    );
  }
  return (
    <div class="panel-empty" role="alert">
      <p>{reason(panel)}</p>
      <Button size="small" onClick={refresh}>
        {text("panel.state.again")}
      </Button>
    </div>
  );
}

function reason({ failure, said }: Panel<unknown>): string {
  if (failure === "refused") return said;
  return failure === "ended" ? text("panel.state.ended") : text("panel.state.unreachable");
}

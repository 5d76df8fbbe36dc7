import { PeriodTabs, usePeriod } from "#app/periods.tsx";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import { type Range, rangeOf } from "#data/periods.ts";
import { today, zoneLabel } from "#data/zone.ts";
import { Button } from "#ui/button.tsx";
import { Activity } from "./activity.tsx";
import { Core } from "./core.tsx";
import { Details } from "./details.tsx";
import { DevicesPanel } from "./devices.tsx";
import { Identity } from "./identity.tsx";
import { Models } from "./models.tsx";
import { useAnswers } from "./questions.ts";
import { Trend } from "./trend.tsx";
import "./overview.css";

/** The dashboard of one's own usage. */
export function Overview() {
  const { zone } = useSession();
  const period = usePeriod();
  const range = rangeOf(period, today(zone, new Date()));
  const answers = useAnswers(range);
  return (
    <>
      <h1 class="unseen">{text("overview.page.title")}</h1>
      <Bar range={range} />
      <div class="overview">
        <div class="column column-sums">
          <Core range={range} answers={answers} />
          <Models panel={answers.models} />
        </div>
        <div class="column column-pictures">
          <Trend range={range} answers={answers} />
          <Activity panel={answers.heatmap} />
        </div>
        <div class="column column-rows">
          <Details range={range} answers={answers} />
        </div>
        <div class="column column-account">
          <DevicesPanel panel={answers.devices} />
          <Identity period={period} answers={answers} />
        </div>
      </div>
    </>
  );
}

function Bar({ range: { period, from, to } }: { range: Range }) {
  const { refresh, zone } = useSession();
  return (
    <div class="overview-bar">
      <PeriodTabs path="/" period={period} />
      <div class="overview-bar-end">
        <span>{from === to ? to : `${from} – ${to}`}</span>
        <span>{zoneLabel(zone, new Date())}</span>
        <Button size="small" onClick={refresh} title={text("overview.refresh.hint")}>
          {text("overview.refresh.label")}
        </Button>
      </div>
    </div>
  );
}

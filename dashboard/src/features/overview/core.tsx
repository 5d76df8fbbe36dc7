import { PanelBox } from "#app/panel-box.tsx";
import { text } from "#copy/index.ts";
import { compact, exact, fraction, percent } from "#data/numbers.ts";
import type { Range } from "#data/periods.ts";
import { addUp, sumsOf, type TokenSums } from "#data/sums.ts";
import type { Period } from "#data/wire.ts";
import { Hero, type Measure, Measures, Stack } from "#ui/measures.tsx";
import { Cost } from "./cost.tsx";
import { type Answers, mapped } from "./questions.ts";

const SPANS: Record<Period, string> = {
  day: text("core.box.day"),
  week: text("core.box.week"),
  month: text("core.box.month"),
  total: text("core.box.total"),
};

interface Core {
  sums: TokenSums;
  /** US dollars; only the summary of everything has it (DSH-09). */
  cost: string | null;
}

/** What was used in all: computed from the days, except over everything (DSH-09). */
export function Core({ range, answers }: { range: Range; answers: Answers }) {
  const panel =
    range.period === "total"
      ? mapped(
          answers.summary,
          ({ totals }): Core => ({
            sums: sumsOf(totals),
            cost: totals.total_cost_usd,
          }),
        )
      : mapped(answers.daily, ({ data }): Core => ({ sums: addUp(data), cost: null }));
  return (
    <PanelBox
      title={text("core.box.title")}
      aside={SPANS[range.period]}
      panel={panel}
      class="core-box"
    >
      {({ sums, cost }) => (
        <>
          <div class="core-head">
            <Hero
              value={compact(sums.total)}
              exact={exact(sums.total)}
              unit={text("core.total.unit")}
            />
            {cost !== null && <Cost usd={cost} panel={answers.models} />}
          </div>
          <p class="quiet">{text("core.total.exact", { tokens: exact(sums.total) })}</p>
          <Stack parts={partsOf(sums)} />
          <Measures measures={measuresOf(sums)} />
        </>
      )}
    </PanelBox>
  );
}

/** Input that was read anew, input from the cache, and all the rest, which is output. */
function partsOf({ total, input, cached }: TokenSums) {
  return [
    { tone: 1 as const, fraction: fraction(input - cached, total) },
    { tone: 2 as const, fraction: fraction(cached, total) },
    { tone: 3 as const, fraction: fraction(total - input, total) },
  ];
}

function measuresOf({ total, input, cached, output, reasoning }: TokenSums): Measure[] {
  const of = (label: string, tokens: bigint) => ({
    label,
    value: exact(tokens),
    short: compact(tokens),
    share: percent(tokens, total),
  });
  return [
    { ...of(text("core.measure.fresh"), input - cached), tone: 1 },
    { ...of(text("core.measure.cached"), cached), tone: 2 },
    { ...of(text("core.measure.output"), output), tone: 3 },
    of(text("core.measure.reasoning"), reasoning),
  ];
}

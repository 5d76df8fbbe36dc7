import { describe, expect, it } from "vitest";
import { modelRows } from "#data/models.ts";
import type { ModelBreakdown, SourceTotals } from "#data/wire.ts";
import { NOTHING, PRICING, tokens } from "./answers.ts";

function breakdownOf(sources: SourceTotals[], unpriced: string[] = []): ModelBreakdown {
  const pricing = { ...PRICING, unpriced_models: unpriced };
  return { from: "2026-08-01", to: "2026-08-10", days: 10, sources, pricing };
}

function sourceOf(source: string, used: Record<string, [bigint, string]>): SourceTotals {
  const models = Object.entries(used).map(([model, [total, total_cost_usd]]) => ({
    model,
    totals: { ...tokens(total), total_cost_usd },
  }));
  return { source, totals: NOTHING, models };
}

describe("modelRows", () => {
  it("[DSH-14] has one row for each model of a source, most tokens first, with shares of all", () => {
    const sources = [
      sourceOf("codex", { "gpt-5": [600n, "1.234567"], house: [100n, "0.000000"] }),
      sourceOf("gemini", { pro: [300n, "0.004000"], flash: [0n, "0.000000"] }),
    ];
    expect(modelRows(breakdownOf(sources, ["house"]))).toEqual([
      {
        source: "codex",
        model: "gpt-5",
        tokens: 600n,
        share: "60%",
        fraction: 0.6,
        cost: "$1.23",
        priced: true,
      },
      {
        source: "gemini",
        model: "pro",
        tokens: 300n,
        share: "30%",
        fraction: 0.3,
        cost: "<$0.01",
        priced: true,
      },
      {
        source: "codex",
        model: "house",
        tokens: 100n,
        share: "10%",
        fraction: 0.1,
        cost: "$0.00",
        priced: false,
      },
      {
        source: "gemini",
        model: "flash",
        tokens: 0n,
        share: "0%",
        fraction: 0,
        cost: "$0.00",
        priced: true,
      },
    ]);
  });

  it("[DSH-14] keeps equal rows as they come, and the same model of two sources apart", () => {
    const sources = ["b", "a"].map((source) => sourceOf(source, { same: [2n ** 60n, "1.000000"] }));
    const rows = modelRows(breakdownOf(sources));
    expect(rows.map(({ source, model, share }) => [source, model, share])).toEqual([
      ["b", "same", "50%"],
      ["a", "same", "50%"],
    ]);
  });

  it("[DSH-14] is empty without any use", () => {
    expect(modelRows(breakdownOf([]))).toEqual([]);
  });
});

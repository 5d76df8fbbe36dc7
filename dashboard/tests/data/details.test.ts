import { describe, expect, it } from "vitest";
import {
  type DetailRow,
  detailsOfDays,
  detailsOfHours,
  detailsOfMonths,
  NEWEST_FIRST,
  nextOrder,
  type Order,
  pageOf,
  sorted,
} from "#data/details.ts";
import { dailyOf, hourlyOf, monthlyOf, range } from "./answers.ts";

const labels = (rows: DetailRow[]) => rows.map(({ label }) => label);

describe("detailsOfHours", () => {
  const hourly = hourlyOf("2026-08-10", "2026-08-10T00:00:00Z", range(0, 24), 2);

  it("[DSH-08] has the hours up to the one that is running, missing ones included", () => {
    const rows = detailsOfHours(hourly, new Date("2026-08-10T03:00:00Z"));
    expect(rows.map(({ label, missing }) => [label, missing])).toEqual([
      ["00:00", false],
      ["01:00", false],
      ["02:00", true],
      ["03:00", true],
    ]);
    expect(rows[1]?.sums.total).toBe(1n);
  });

  it("[DSH-08] has none of a day to come", () => {
    expect(detailsOfHours(hourly, new Date("2026-08-09T23:59:59Z"))).toEqual([]);
  });

  it("[DSH-08] tells apart the two hours of a night on which clocks go back", () => {
    const berlin = hourlyOf("2026-10-25", "2026-10-24T22:00:00Z", [0, 1, 2, ...range(2, 24)]);
    const rows = detailsOfHours(berlin, new Date("2026-10-26T00:00:00Z"));
    expect(labels(rows).slice(1, 5)).toEqual([
      "01:00",
      "02:00 UTC+02:00",
      "02:00 UTC+01:00",
      "03:00",
    ]);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(25);
    expect(labels(sorted(rows, NEWEST_FIRST)).slice(-4, -1)).toEqual([
      "02:00 UTC+01:00",
      "02:00 UTC+02:00",
      "01:00",
    ]);
  });
});

describe("detailsOfDays", () => {
  it("[DSH-08] has every day of the answer", () => {
    const rows = detailsOfDays(dailyOf("2028-02-28", "2028-03-01", { "2028-02-29": 2n ** 60n }));
    expect(rows.map(({ label, sums }) => [label, sums.total])).toEqual([
      ["Mon 28 Feb 2028", 0n],
      ["Tue 29 Feb 2028", 2n ** 60n],
      ["Wed 1 Mar 2028", 0n],
    ]);
  });
});

describe("detailsOfMonths", () => {
  const before = Array<number>(23).fill(0);

  it.each<[string, number[], string[]]>([
    ["in the middle", [0, 0, 5, 0, 7, 0], ["Mar 2025", "Apr 2025", "May 2025", "Jun 2025"]],
    ["at the beginning", [5, 0], ["Jan 2025", "Feb 2025"]],
    ["today", [...before, 1], ["Dec 2026"]],
    ["never", [...before, 0], []],
  ])("[DSH-08] begins with the month of the first use: %s", (_, used, months) => {
    expect(labels(detailsOfMonths(monthlyOf(...used)))).toEqual(months);
  });
});

describe("sorted", () => {
  const row = (key: string, total: number, missing = false): DetailRow => ({
    key,
    label: key,
    short: key,
    missing,
    sums: { total: BigInt(total), input: 1n, cached: 0n, output: BigInt(-total), reasoning: 0n },
  });
  const rows = [
    row("a", 3),
    row("b", 0),
    row("c", 9),
    row("d", 3),
    row("e", 0, true),
    row("f", 0, true),
  ];

  it.each<[Order, string]>([
    [NEWEST_FIRST, "f e d c b a"],
    [{ column: "when", descending: false }, "a b c d e f"],
    [{ column: "total", descending: true }, "c d a b f e"],
    [{ column: "total", descending: false }, "b d a c f e"],
    [{ column: "output", descending: true }, "b d a c f e"],
    [{ column: "input", descending: true }, "d c b a f e"],
    [{ column: "cached", descending: false }, "d c b a f e"],
  ])("[DSH-08] by %o, equal rows newest first and missing ones last", (order, keys) => {
    expect(labels(sorted(rows, order)).join(" ")).toBe(keys);
    expect(labels(rows).join("")).toBe("abcdef");
  });

  it("[DSH-08] orders numbers that are alike as doubles", () => {
    const huge = 2 ** 53;
    const close = [row("less", huge), row("more", huge)].map((each, nth) => ({
      ...each,
      sums: { ...each.sums, total: BigInt(huge) + BigInt(nth) },
    }));
    expect(labels(sorted(close, { column: "total", descending: false }))).toEqual(["less", "more"]);
  });
});

describe("nextOrder", () => {
  it.each<[Order, Order["column"], Order]>([
    [NEWEST_FIRST, "when", { column: "when", descending: false }],
    [{ column: "when", descending: false }, "when", NEWEST_FIRST],
    [NEWEST_FIRST, "total", { column: "total", descending: true }],
    [{ column: "total", descending: true }, "total", { column: "total", descending: false }],
    [{ column: "total", descending: false }, "input", { column: "input", descending: true }],
    [{ column: "total", descending: false }, "when", NEWEST_FIRST],
  ])("[DSH-08] after %o, a click on %s asks for %o", (order, column, next) => {
    expect(nextOrder(order, column)).toEqual(next);
  });
});

describe("pageOf", () => {
  const rows = detailsOfDays(dailyOf("2026-08-01", "2026-08-25"));

  it.each([
    [0, 1, 1, 0, ""],
    [1, 1, 1, 1, "2026-08-01"],
    [12, 1, 1, 12, "2026-08-01"],
    [13, 1, 2, 12, "2026-08-01"],
    [13, 2, 2, 1, "2026-08-13"],
    [25, 3, 3, 1, "2026-08-25"],
  ])(
    "[DSH-08] of %d rows, page %d of %d has %d from %s on",
    (count, page, pages, length, first) => {
      const shown = pageOf(rows.slice(0, count), page);
      expect([shown.page, shown.pages, shown.rows.length]).toEqual([page, pages, length]);
      expect(shown.rows[0]?.key ?? "").toBe(first);
    },
  );

  it.each([
    [0, 1],
    [-3, 1],
    [4, 3],
    [99, 3],
  ])("[DSH-08] instead of page %d, which is none of three, shows %d", (asked, page) => {
    expect(pageOf(rows, asked)).toEqual(pageOf(rows, page));
  });
});

import { describe, expect, it } from "vitest";
import { Refused } from "#api/errors.ts";
import { mockServer } from "#api/mock.ts";
import type { Server } from "#api/server.ts";
import { addDays, addMonths, type Day, monthOf, weekday } from "#data/days.ts";
import { detailsOfHours } from "#data/details.ts";
import { rangeOf } from "#data/periods.ts";
import { addUp } from "#data/sums.ts";
import type { Daily, ModelTotals, TokenFields } from "#data/wire.ts";
import { today, type Zone } from "#data/zone.ts";

const UTC: Zone = { name: null, offsetMinutes: null };
const BERLIN: Zone = { name: "Europe/Berlin", offsetMinutes: null };
const NOON = new Date("2026-08-12T12:20:00Z");

const TIMES: [string, Date, Zone][] = [
  ["at noon", NOON, UTC],
  ["right after midnight", new Date("2026-08-12T00:00:30Z"), UTC],
  ["late on a Sunday", new Date("2026-08-16T23:59:00Z"), UTC],
  ["where it is tomorrow already", NOON, { name: "Pacific/Kiritimati", offsetMinutes: null }],
  ["where it is still last night", NOON, { name: "Pacific/Honolulu", offsetMinutes: null }],
  ["on the quarter", NOON, { name: "Asia/Kathmandu", offsetMinutes: null }],
  ["by minutes", NOON, { name: null, offsetMinutes: -570 }],
  ["on a day of 25 hours", new Date("2026-10-25T14:00:00Z"), BERLIN],
  ["in the night of a day of 25 hours", new Date("2026-10-25T03:50:00Z"), BERLIN],
  ["in an hour that comes twice", new Date("2026-10-25T01:30:00Z"), BERLIN],
  ["in the night of a day of 23 hours", new Date("2026-03-29T02:10:00Z"), BERLIN],
  ["in the new year", new Date("2027-01-01T09:00:00Z"), BERLIN],
];

async function year(server: Server, to: Day, zone: Zone): Promise<Daily> {
  return server.daily(rangeOf("total", to), zone);
}

function models(sources: { models: ModelTotals[] }[]): ModelTotals[] {
  return sources.flatMap((source) => source.models);
}

function micro(usd: string): bigint {
  return BigInt(usd.replace(".", ""));
}

describe.each(TIMES)("the mock %s", (_, now, zone) => {
  const server = mockServer(now);
  const to = today(zone, now);

  it("[DSH-11] has sums that agree over days, months, weeks, models and all of it", async () => {
    const range = rangeOf("total", to);
    const { data, summary } = await server.daily(range, zone);
    const { sources, pricing } = await server.models(range, zone);
    const sums = addUp(data);
    expect(sums.total).toBeGreaterThan(0n);
    expect(addUp([summary.totals])).toEqual(sums);
    expect(addUp((await server.monthly(to, zone)).data)).toEqual(sums);
    expect(addUp(sources.map(({ totals }) => totals))).toEqual(sums);
    expect(addUp(models(sources).map(({ totals }) => totals))).toEqual(sums);
    expect(pricing).toEqual(summary.pricing);
    expect(await server.summary(range, zone)).toMatchObject({ from: range.from, to, ...summary });
  });

  it("[DSH-11] has months that are the sums of their days", async () => {
    const { data } = await year(server, to, zone);
    const months = (await server.monthly(to, zone)).data;
    expect(months.map(({ month }) => month)).toEqual(
      Array.from({ length: 24 }, (_, n) => addMonths(monthOf(to), n - 23)),
    );
    for (const row of months)
      expect(addUp([row])).toEqual(addUp(data.filter(({ day }) => monthOf(day) === row.month)));
  });

  it("[DSH-11] has a heatmap of the same days", async () => {
    const heatmap = await server.heatmap(to, zone);
    const { data } = await server.daily({ from: heatmap.from, to }, zone);
    const cells = heatmap.weeks.flat();
    const past = cells.flatMap((cell) => cell ?? []);
    expect(heatmap.weeks).toHaveLength(52);
    expect(cells.slice(past.length).every((cell) => cell === null)).toBe(true);
    expect(weekday(heatmap.from)).toBe(0);
    expect(past.map(({ day, value }) => [day, value])).toEqual(
      data.map(({ day, total_tokens }) => [day, total_tokens]),
    );
    expect(new Set(past.map(({ level }) => level))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(heatmap.active_days).toBe(past.filter(({ value }) => value !== "0").length);
  });

  it("[DSH-11] has hours that add up to their day", async () => {
    const { data } = await server.daily({ from: addDays(to, -20), to }, zone);
    for (const row of data) {
      const hourly = await server.hourly(row.day, zone);
      expect(addUp(hourly.data)).toEqual(addUp([row]));
    }
  });

  it("[DSH-11] has used something today, and nothing after the last sync", async () => {
    const { data, sync } = await server.hourly(to, zone);
    const missing = data.filter((row) => row.missing);
    const synced = Date.parse(sync.last_sync_at ?? "");
    expect(addUp(data).total).toBeGreaterThan(0n);
    expect(addUp(missing).total).toBe(0n);
    expect(synced).toBeLessThanOrEqual(now.getTime());
    expect(missing).toEqual(data.filter((row) => Date.parse(row.hour_start_utc) > synced));
    expect(addUp((await server.hourly(addDays(to, 1), zone)).data).total).toBe(0n);
  });
});

describe("the made-up developer", () => {
  const server = mockServer(NOON);
  const to = today(UTC, NOON);

  it("[DSH-11] is the same for the same time", async () => {
    const answers = async (one: Server) => [
      await year(one, to, BERLIN),
      await one.hourly(to, UTC),
      await one.models(rangeOf("month", to), UTC),
      await one.board("week", { limit: 100, offset: 0 }),
      await one.devices(),
    ];
    expect(await answers(mockServer(NOON))).toEqual(await answers(mockServer(NOON)));
  });

  it("[DSH-11] uses three tools and five models, one of which has no price", async () => {
    const { sources, pricing } = await server.models(rangeOf("total", to), UTC);
    expect(sources.map(({ source }) => source).sort()).toEqual(["codex", "every-code", "gemini"]);
    expect(models(sources)).toHaveLength(5);
    expect(pricing.unpriced_models).toHaveLength(1);
    expect(pricing.pricing_mode).toBe("mixed");
    for (const { model, totals } of models(sources)) {
      const isPriced = !pricing.unpriced_models.includes(model);
      expect(micro(totals.total_cost_usd) > 0n).toBe(isPriced);
    }
  });

  it("[DSH-11] pays by the rates that are shown", async () => {
    const { sources, pricing } = await server.models(rangeOf("total", to), UTC);
    const of = models(sources).find(({ model }) => model === pricing.model);
    const [sums, rates] = [addUp(of ? [of.totals] : []), pricing.rates];
    const cost =
      (sums.input - sums.cached) * micro(rates.input) +
      sums.cached * micro(rates.cached_input) +
      sums.output * micro(rates.output);
    expect(micro(of?.totals.total_cost_usd ?? "")).toBe((cost + 500_000n) / 1_000_000n);
  });

  it("counts cached input inside input, and reasoning inside output, or beside it with Gemini", async () => {
    const { sources } = await server.models(rangeOf("total", to), UTC);
    for (const { source, totals } of sources) {
      const { total, input, cached, output, reasoning } = addUp([totals]);
      expect(cached).toBeLessThan(input);
      expect(reasoning).toBeLessThan(output);
      expect(total).toBe(input + output + (source === "gemini" ? reasoning : 0n));
    }
  });

  it("works less at weekends, had two weeks of holiday, and began in the year before", async () => {
    const { data } = await server.daily({ from: addDays(to, -364), to }, UTC);
    const perDay = (rows: TokenFields[]) => addUp(rows).total / BigInt(rows.length);
    const weekend = perDay(data.filter(({ day }) => weekday(day) >= 5));
    expect(weekend * 3n).toBeLessThan(perDay(data.filter(({ day }) => weekday(day) < 5)));
    const free = data.map(({ total_tokens }) => (total_tokens === "0" ? " " : "x")).join("");
    expect(free).toMatch(/ {14}/);
    const months = (await server.monthly(to, UTC)).data;
    expect(months.findIndex(({ total_tokens }) => total_tokens !== "0")).toBeGreaterThan(8);
  });

  it.each([
    ["2026-03-29", BERLIN, 23],
    ["2026-08-12", BERLIN, 24],
    ["2026-10-25", BERLIN, 25],
    ["2026-08-12", { name: "Asia/Kathmandu", offsetMinutes: null }, 24],
  ])("has the hours of %s that clocks show", async (day, zone, hours) => {
    const { data } = await server.hourly(day, zone);
    const starts = data.map(({ hour_start_utc }) => Date.parse(hour_start_utc));
    expect(starts.slice(1).every((start, n) => start === (starts[n] ?? 0) + 3_600_000)).toBe(true);
    expect(data).toHaveLength(hours);
    expect(data[0]?.hour).toBe(`${day}T00:00:00`);
  });

  it("[DSH-07] has hours today that were not synced yet", async () => {
    const rows = detailsOfHours(await server.hourly(to, UTC), NOON);
    expect(rows.filter(({ missing }) => missing)).toHaveLength(2);
  });

  it.each(["day", "week", "month", "total"] as const)(
    "[DSH-14] is the twelfth of 37 on the leaderboard of the %s",
    async (period) => {
      const board = await server.board(period, { limit: 100, offset: 0 });
      const totals = board.entries.map(({ total_tokens }) => BigInt(total_tokens));
      const mine = (await server.summary(board, UTC)).totals.total_tokens;
      expect(board.entries).toHaveLength(37);
      expect(totals).toEqual([...totals].sort((one, other) => (one < other ? 1 : -1)));
      expect(board.entries.map(({ rank }) => rank)).toEqual(totals.map((_, n) => n + 1));
      expect(board.entries.filter(({ is_me }) => is_me)).toMatchObject([
        { rank: 12, total_tokens: mine },
      ]);
      expect(board.me).toEqual({ rank: 12, total_tokens: mine });
      const names = board.entries.flatMap((entry) => (entry.is_public ? entry.display_name : []));
      expect(new Set(names).size).toBe(names.length);
      expect(names.length).toBeLessThan(30);
      expect(names).not.toContain("Anonymous");
    },
  );

  it("[DSH-14] has a leaderboard in pages", async () => {
    const { entries, me } = await server.board("week", { limit: 5, offset: 35 });
    expect(entries.map(({ rank }) => rank)).toEqual([36, 37]);
    expect(me.rank).toBe(12);
  });

  it("[DSH-14] is on it by name or not, as chosen", async () => {
    const server = mockServer(NOON);
    const shown = async () => (await server.board("week", { limit: 1, offset: 11 })).entries[0];
    expect(await server.boardSettings()).toEqual({ leaderboard_public: false, updated_at: null });
    expect(await shown()).toMatchObject({ display_name: "Anonymous", is_public: false });
    await server.showOnBoard(true);
    expect(await server.boardSettings()).toMatchObject({ leaderboard_public: true });
    expect(await shown()).toMatchObject({ display_name: "Robin Vale", is_public: true });
  });

  it("[DSH-14] has three computers, which can be renamed and revoked", async () => {
    const server = mockServer(NOON);
    const { devices } = await server.devices();
    const [studio, old] = devices;
    expect(devices).toHaveLength(3);
    expect(devices.filter(({ revoked_at }) => revoked_at)).toEqual([old]);
    await server.renameDevice(studio?.device_id ?? "", "desk");
    await server.revokeDevice(studio?.device_id ?? "");
    const [changed, ...others] = (await server.devices()).devices;
    expect(changed).toEqual({ ...studio, device_name: "desk", revoked_at: "2026-08-12T12:20:00Z" });
    expect(others).toEqual(devices.slice(1));
    await expect(server.renameDevice("none", "desk")).rejects.toThrow(Refused);
  });

  it("signs out and in again", async () => {
    const server = mockServer(NOON);
    const user = await server.resume();
    await server.signOut();
    expect(await server.resume()).toBeNull();
    expect(await server.signIn({ email: "a@example.org", password: "" })).toEqual(user);
    expect(await server.resume()).toEqual(user);
  });

  it("links computers with a code that holds for ten minutes", async () => {
    expect(await server.linkCode()).toEqual({
      link_code: expect.stringMatching(/^\w{4}-\w{4}-\w{4}$/),
      expires_at: "2026-08-12T12:30:00Z",
    });
    expect(await server.approveCode("WDJB-MJHT")).toMatchObject(
      await server.codeRequest("WDJB-MJHT"),
    );
  });

  it("takes along what was used, as the sums say", async () => {
    const file = await server.exportData();
    const lines = (await file.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const used = lines.filter(({ type }) => type === "usage");
    const total = used.reduce((all, { total_tokens }) => all + total_tokens, 0);
    expect([...new Set(lines.map(({ type }) => type))]).toEqual([
      "user",
      "settings",
      "device",
      "usage",
    ]);
    expect(BigInt(total)).toBe(addUp((await year(server, to, UTC)).data).total);
  });
});

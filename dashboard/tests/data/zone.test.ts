import { afterEach, describe, expect, it } from "vitest";
import {
  browserZone,
  localHour,
  localTime,
  today,
  type Zone,
  zoneLabel,
  zoneName,
  zoneOf,
  zoneParams,
} from "#data/zone.ts";

const UTC: Zone = { name: null, offsetMinutes: null };
const place = (name: string): Zone => ({ name, offsetMinutes: null });
const offset = (offsetMinutes: number): Zone => ({ name: null, offsetMinutes });

const SUMMER = "2026-08-10T12:00:00Z";
const WINTER = "2026-01-10T12:00:59.999Z";

describe("what clocks show", () => {
  it.each<[Zone, string, string]>([
    [UTC, "2026-08-10T14:05:59Z", "2026-08-10 14:05"],
    [offset(345), "2026-08-10T18:15:00Z", "2026-08-11 00:00"],
    [offset(-480), "2026-01-01T07:59:59Z", "2025-12-31 23:59"],
    [offset(840), "2028-02-28T10:00:00Z", "2028-02-29 00:00"],
    [place("UTC"), "2026-08-10T00:00:00Z", "2026-08-10 00:00"],
    [place("America/Los_Angeles"), "2025-12-22T07:59:59Z", "2025-12-21 23:59"],
    [place("America/Los_Angeles"), "2025-12-22T08:00:00Z", "2025-12-22 00:00"],
    [place("America/Los_Angeles"), "2026-03-08T09:59:59Z", "2026-03-08 01:59"],
    [place("America/Los_Angeles"), "2026-03-08T10:00:00Z", "2026-03-08 03:00"],
    [place("America/Los_Angeles"), "2026-11-01T08:30:00Z", "2026-11-01 01:30"],
    [place("America/Los_Angeles"), "2026-11-01T09:30:00Z", "2026-11-01 01:30"],
    [place("Asia/Kathmandu"), "2025-12-31T18:15:00Z", "2026-01-01 00:00"],
    [place("Asia/Kathmandu"), "2025-12-31T18:14:59Z", "2025-12-31 23:59"],
    [place("Pacific/Auckland"), "2026-12-31T10:59:59Z", "2026-12-31 23:59"],
    [place("Pacific/Auckland"), "2026-12-31T11:00:00Z", "2027-01-01 00:00"],
    [place("Pacific/Auckland"), "2028-02-28T11:00:00Z", "2028-02-29 00:00"],
    [place("Pacific/Kiritimati"), "2026-12-30T10:00:00Z", "2026-12-31 00:00"],
  ])("[DSH-06] %o at %s: %s", (zone, at, shown) => {
    const moment = new Date(at);
    expect(localTime(zone, moment)).toBe(shown);
    expect(today(zone, moment)).toBe(shown.slice(0, 10));
    expect(localHour(zone, moment)).toBe(`${shown.slice(0, 10)}T${shown.slice(11, 13)}:00:00`);
  });
});

describe("zoneLabel and zoneParams", () => {
  it.each<[Zone, string, string, Record<string, string>]>([
    [UTC, SUMMER, "UTC", {}],
    [place("UTC"), SUMMER, "UTC", { tz: "UTC" }],
    [offset(0), SUMMER, "UTC", { tz_offset_minutes: "0" }],
    [offset(345), SUMMER, "UTC+05:45", { tz_offset_minutes: "345" }],
    [offset(-210), SUMMER, "UTC-03:30", { tz_offset_minutes: "-210" }],
    [place("Europe/Berlin"), SUMMER, "Europe/Berlin (UTC+02:00)", { tz: "Europe/Berlin" }],
    [place("Europe/Berlin"), WINTER, "Europe/Berlin (UTC+01:00)", { tz: "Europe/Berlin" }],
    [place("Europe/London"), WINTER, "Europe/London (UTC+00:00)", { tz: "Europe/London" }],
    [place("Asia/Kathmandu"), WINTER, "Asia/Kathmandu (UTC+05:45)", { tz: "Asia/Kathmandu" }],
    [
      place("America/Los_Angeles"),
      WINTER,
      "America/Los_Angeles (UTC-08:00)",
      { tz: "America/Los_Angeles" },
    ],
  ])("[DSH-05] says and sends the same basis: %o at %s is %s", (zone, at, label, parameters) => {
    expect(zoneLabel(zone, new Date(at))).toBe(label);
    expect(zoneParams(zone)).toEqual(parameters);
  });

  it.each<[Zone, string]>([
    [UTC, "UTC"],
    [place("UTC"), "UTC"],
    [offset(0), "UTC"],
    [offset(345), "UTC+05:45"],
    [place("Europe/Berlin"), "Europe/Berlin"],
  ])("[DSH-05] names %o for all times, whatever its offset: %s", (zone, name) => {
    expect(zoneName(zone)).toBe(name);
  });

  it("[DSH-05] tells the offset of every zone that there is", () => {
    for (const name of Intl.supportedValuesOf("timeZone")) {
      for (const at of [SUMMER, WINTER]) {
        expect(zoneLabel(place(name), new Date(at))).toBe(official(name, at));
      }
    }
  });
});

/** As the platform itself writes offsets: `GMT+05:45`, and `GMT` for none. */
function official(timeZone: string, at: string): string {
  const [, gmt = ""] = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" })
    .format(new Date(at))
    .split(", ");
  if (timeZone === "UTC") return "UTC";
  return `${timeZone} (${gmt === "GMT" ? "UTC+00:00" : gmt.replace("GMT", "UTC")})`;
}

describe("browserZone", () => {
  const own = process.env.TZ;
  afterEach(() => {
    if (own === undefined) delete process.env.TZ;
    else process.env.TZ = own;
  });

  it.each(["Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "UTC"])(
    "[DSH-06] is %s when the browser is there",
    (name) => {
      process.env.TZ = name;
      expect(browserZone()).toEqual(place(name));
    },
  );

  it.each([
    ["Europe/Berlin", 120, place("Europe/Berlin")],
    ["UTC", 0, place("UTC")],
    ["Etc/GMT+8", -480, place("Etc/GMT+8")],
    [undefined, 345, offset(345)],
    ["", 345, offset(345)],
    ["Etc/Unknown", 0, offset(0)],
    ["+05:30", 330, offset(330)],
    ["-03:00", -180, offset(-180)],
  ])("[DSH-05] takes %s at %d minutes for %o", (name, minutes, zone) => {
    expect(zoneOf(name, minutes)).toEqual(zone);
  });
});

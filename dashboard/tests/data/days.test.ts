import { describe, expect, it } from "vitest";
import {
  addDays,
  addMonths,
  dayLabel,
  daysBetween,
  firstOf,
  lastOf,
  monthLabel,
  monthName,
  monthOf,
  weekday,
  weekdayName,
} from "#data/days.ts";

describe("days", () => {
  it.each([
    ["2026-08-10", 0, "2026-08-10"],
    ["2026-08-10", 1, "2026-08-11"],
    ["2026-12-31", 1, "2027-01-01"],
    ["2026-01-01", -1, "2025-12-31"],
    ["2028-02-28", 1, "2028-02-29"],
    ["2026-02-28", 1, "2026-03-01"],
    ["2100-02-28", 1, "2100-03-01"],
    ["2000-02-28", 1, "2000-02-29"],
    ["2026-03-08", 1, "2026-03-09"],
    ["2024-01-01", 731, "2026-01-01"],
  ])("%s and %d days are %s", (day, days, other) => {
    expect(addDays(day, days)).toBe(other);
    expect(daysBetween(day, other)).toBe(days);
  });

  it.each([
    ["2026-08-10", 0],
    ["2026-08-16", 6],
    ["2028-02-29", 1],
    ["2026-01-01", 3],
    ["1970-01-01", 3],
    ["1969-12-31", 2],
  ])("[DSH-06] counts from Monday: %s is %d", (day, number) => {
    expect(weekday(day)).toBe(number);
  });
});

describe("months", () => {
  it.each([
    ["2026-08", 0, "2026-08"],
    ["2026-12", 1, "2027-01"],
    ["2026-01", -1, "2025-12"],
    ["2026-01", -23, "2024-02"],
    ["2024-02", 12, "2025-02"],
    ["2026-08", -32, "2023-12"],
  ])("%s and %d months are %s", (month, months, other) => {
    expect(addMonths(month, months)).toBe(other);
  });

  it.each([
    ["2026-01-31", "2026-01-01", "2026-01-31"],
    ["2026-02-01", "2026-02-01", "2026-02-28"],
    ["2028-02-29", "2028-02-01", "2028-02-29"],
    ["2100-02-10", "2100-02-01", "2100-02-28"],
    ["2026-04-30", "2026-04-01", "2026-04-30"],
    ["2026-12-31", "2026-12-01", "2026-12-31"],
  ])("%s is in a month from %s to %s", (day, first, last) => {
    expect(firstOf(monthOf(day))).toBe(first);
    expect(lastOf(monthOf(day))).toBe(last);
  });
});

describe("names", () => {
  it("names days and months by three letters", () => {
    const monday = "2026-08-10";
    const days = [0, 1, 2, 3, 4, 5, 6].map((nth) => weekdayName(weekday(addDays(monday, nth))));
    expect(days.join(" ")).toBe("Mon Tue Wed Thu Fri Sat Sun");
    const months = [...Array(12).keys()].map((nth) => monthName(addMonths("2026-01", nth)));
    expect(months.join(" ")).toBe("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec");
  });

  it.each([
    ["2026-08-10", "Mon 10 Aug 2026", "Aug 2026"],
    ["2028-02-29", "Tue 29 Feb 2028", "Feb 2028"],
    ["2027-01-01", "Fri 1 Jan 2027", "Jan 2027"],
  ])("[DSH-07] writes %s as %s", (day, label, month) => {
    expect(dayLabel(day)).toBe(label);
    expect(monthLabel(monthOf(day))).toBe(month);
  });
});

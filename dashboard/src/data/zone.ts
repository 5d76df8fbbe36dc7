/**
 * Time zones: which one the browser is in, and what its clocks show at a moment. What the server is asked for
 * (`zoneParams`) and what the page says (`zoneLabel`) come from the same value (DSH-05).
 */

import type { Day } from "#data/days.ts";

/** A place by its IANA name, else the minutes to add to UTC; both null: UTC. */
export interface Zone {
  readonly name: string | null;
  readonly offsetMinutes: number | null;
}

export const UTC: Zone = { name: null, offsetMinutes: null };

const MINUTE = 60_000;

/** Making a formatter takes longer than all that is done with it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

export function browserZone(): Zone {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return zoneOf(timeZone, -new Date().getTimezoneOffset());
}

/** What a browser calls its zone, or its offset where that is no name of a place (`+05:30`, `Etc/Unknown`). */
export function zoneOf(name: string | undefined, offsetMinutes: number): Zone {
  return name && /^[A-Z]/i.test(name) && name !== "Etc/Unknown"
    ? { name, offsetMinutes: null }
    : { name: null, offsetMinutes };
}

/** The calendar parameters of usage endpoints (SRV-08). */
export function zoneParams({ name, offsetMinutes }: Zone): Record<string, string> {
  if (name !== null) return { tz: name };
  return offsetMinutes === null ? {} : { tz_offset_minutes: String(offsetMinutes) };
}

/** `Europe/Berlin (UTC+02:00)` with the offset that holds at the moment, `UTC+05:45`, or `UTC`. */
export function zoneLabel(zone: Zone, at: Date): string {
  const minutes = (Date.parse(`${clock(zone, at)}Z`) - wholeMinute(at)) / MINUTE;
  if (zone.name !== null && zone.name !== "UTC") return `${zone.name} (${offsetLabel(minutes)})`;
  return minutes ? offsetLabel(minutes) : "UTC";
}

/** What holds for all times in a zone: `Europe/Berlin`, whose offset is now one and now another. */
export function zoneName(zone: Zone): string {
  return zone.name ?? zoneLabel(zone, new Date(0));
}

/** `UTC+05:45`. */
export function offsetLabel(minutes: number): string {
  const hours = new Date(Math.abs(minutes) * MINUTE).toISOString().slice(11, 16);
  return `UTC${minutes < 0 ? "-" : "+"}${hours}`;
}

export function today(zone: Zone, now: Date): Day {
  return clock(zone, now).slice(0, 10);
}

/** `2026-08-10T14:00:00`, as the server names hours. */
export function localHour(zone: Zone, at: Date): string {
  return `${clock(zone, at).slice(0, 13)}:00:00`;
}

/** `2026-08-10 14:05`. */
export function localTime(zone: Zone, at: Date): string {
  return clock(zone, at).replace("T", " ");
}

/** What clocks show, `2026-08-10T14:05`. */
function clock({ name, offsetMinutes }: Zone, at: Date): string {
  if (name !== null) return clockOfPlace(name, at);
  return new Date(at.getTime() + (offsetMinutes ?? 0) * MINUTE).toISOString().slice(0, 16);
}

function clockOfPlace(name: string, at: Date): string {
  const parts = formatterOf(name).formatToParts(at);
  const { year, month, day, hour, minute } = Object.fromEntries(
    parts.map(({ type, value }) => [type, value]),
  );
  return `${year}-${month}-${day}T${hour}:${minute}`;
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const two = "2-digit";
  const fields = { year: "numeric", month: two, day: two, hour: two, minute: two } as const;
  const formatter = new Intl.DateTimeFormat("en", { timeZone, hourCycle: "h23", ...fields });
  formatters.set(timeZone, formatter);
  return formatter;
}

function wholeMinute(at: Date): number {
  return Math.floor(at.getTime() / MINUTE) * MINUTE;
}

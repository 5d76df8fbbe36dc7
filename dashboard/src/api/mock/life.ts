/**
 * A made-up developer: what was used in which local hour. All of it follows from the day and the hour, so it is the
 * same whenever it is asked for, and hours, days and months agree in every zone.
 */

import { addDays, type Day, daysBetween, weekday } from "#data/days.ts";
import { localHour, today, type Zone } from "#data/zone.ts";

export interface Tokens {
  total: number;
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

interface Tool {
  source: string;
  model: string;
}

/** Tokens of a source and a model in a local hour, which is from 0 to 23. */
export interface Use extends Tool, Tokens {
  day: Day;
  hour: number;
}

/** `name` is the server's (`2026-08-10T14:00:00`), `start` in milliseconds. */
export interface LocalHour {
  name: string;
  start: number;
}

/** From 0 to below 1, one for each hour and question. */
type Lot = (...salts: number[]) => number;

/** So many days ago something was used for the first time. */
export const DAYS_OF_USE = 400;

/** The source that counts reasoning beside the output. */
export const GEMINI = "gemini";

const QUARTER = 15 * 60_000;
const HOUR = 4 * QUARTER;
const DAY = 24 * HOUR;
const SATURDAY = 5;
const SINCE_SYNC = 2 * HOUR + QUARTER;

export class Life {
  readonly #now: Date;
  readonly #lived = new Map<string, Use[]>();

  constructor(now: Date) {
    this.#now = now;
  }

  /** In order of time; both days are included. */
  used(from: Day, to: Day, zone: Zone): Use[] {
    const last = today(zone, this.#now);
    const first = addDays(last, -DAYS_OF_USE);
    const days = daysFrom(from > first ? from : first, to < last ? to : last);
    return days.flatMap((day) => this.#usedOn(day, daysBetween(day, last), zone));
  }

  /** The last sync, in milliseconds: a while ago, but today, so that today has something. */
  synced(zone: Zone): number {
    const [midnight] = hoursOf(today(zone, this.#now), zone);
    return Math.max(this.#now.getTime() - SINCE_SYNC, midnight?.start ?? 0);
  }

  /** A day that is `age` days ago. */
  #usedOn(day: Day, age: number, zone: Zone): Use[] {
    const key = `${day} ${zone.name} ${zone.offsetMinutes}`;
    const uses = this.#lived.get(key) ?? this.#live(day, age, zone);
    this.#lived.set(key, uses);
    return uses;
  }

  #live(day: Day, age: number, zone: Zone): Use[] {
    const lot = lotsOf(day);
    const hours = age === 0 ? this.#hoursToday(day, zone, lot) : hoursOfWork(day, age, lot);
    return hours.flatMap((hour) => usesOf(day, hour, age, lot));
  }

  /** Up to the last sync, whatever the time and the day of the week. */
  #hoursToday(day: Day, zone: Zone, lot: Lot): number[] {
    const synced = this.synced(zone);
    const begun = hoursOf(day, zone).filter(({ start }) => start <= synced);
    const hours = [...new Set(begun.map(hourOfDay))];
    const last = hours.at(-1) ?? 0;
    const { begin, end } = shiftOf(day, lot);
    const isWork = (hour: number) => hour >= Math.min(begin, last - 2) && hour < end;
    return hours.filter((hour) => hour === last || (isWork(hour) && !isBreak(hour, lot)));
  }
}

/** Those of a local day, which are 23 or 25 where clocks are set. */
export function hoursOf(day: Day, zone: Zone): LocalHour[] {
  const hours: LocalHour[] = [];
  const noon = Date.parse(day) + DAY / 2;
  for (let start = noon - 26 * HOUR; start < noon + DAY; start += QUARTER) {
    const name = localHour(zone, new Date(start));
    const last = hours.at(-1);
    const isRunning = last?.name === name && start < last.start + HOUR;
    if (name.startsWith(day) && !isRunning) hours.push({ name, start });
  }
  return hours;
}

/** From 0 to 23. */
export function hourOfDay({ name }: LocalHour): number {
  return Number(name.slice(11, 13));
}

/** None when `to` comes first. */
export function daysFrom(from: Day, to: Day): Day[] {
  const length = Math.max(0, daysBetween(from, to) + 1);
  return Array.from({ length }, (_, days) => addDays(from, days));
}

export function grouped(uses: readonly Use[], keyOf: (use: Use) => string): Map<string, Use[]> {
  const groups = new Map<string, Use[]>();
  for (const use of uses) {
    const group = groups.get(keyOf(use)) ?? [];
    groups.set(keyOf(use), group);
    group.push(use);
  }
  return groups;
}

/** None at night, when clocks are set. */
function hoursOfWork(day: Day, age: number, lot: Lot): number[] {
  if (isFree(day, age, lot)) return [];
  const { begin, end } = shiftOf(day, lot);
  const hours = Array.from({ length: end - begin }, (_, hour) => begin + hour);
  return hours.filter((hour) => !isBreak(hour, lot));
}

function isFree(day: Day, age: number, lot: Lot): boolean {
  const isOnHoliday = age > 117 && age < 132;
  return isOnHoliday || lot(24) < (isWeekend(day) ? 0.7 : 0.07);
}

function shiftOf(day: Day, lot: Lot): { begin: number; end: number } {
  const begin = (isWeekend(day) ? 14 : 8) + Math.floor(lot(25) * 3);
  const length = (isWeekend(day) ? 2 : 7) + Math.floor(lot(26) * 3);
  return { begin, end: begin + length };
}

function isWeekend(day: Day): boolean {
  return weekday(day) >= SATURDAY;
}

function isBreak(hour: number, lot: Lot): boolean {
  return lot(hour, 1) < 0.15;
}

/** With one tool, sometimes with another besides. */
function usesOf(day: Day, hour: number, age: number, lot: Lot): Use[] {
  const one = toolOf(lot(hour, 2), age);
  const other = toolOf(lot(hour, 3), age);
  const isBoth = one.model !== other.model && lot(hour, 4) < 0.4;
  const size = 1 - (0.6 * age) / DAYS_OF_USE;
  return (isBoth ? [one, other] : [one]).map((tool, salt) => ({
    day,
    hour,
    ...tool,
    ...tokensOf(tool, size, (which) => lot(hour, 5 + 5 * salt + which)),
  }));
}

function toolOf(share: number, age: number): Tool {
  if (share < 0.6) return { source: "codex", model: age > 160 ? "gpt-5.3-codex" : "gpt-5.5-codex" };
  if (share < 0.82) return { source: "every-code", model: "claude-sonnet-5" };
  if (share < 0.86) return { source: "every-code", model: "house-model-7b" };
  return { source: GEMINI, model: "gemini-3.1-pro" };
}

/** Of a busy hour: most of the input is what the model was shown before, and the output is little beside it. */
function tokensOf({ source }: Tool, size: number, lot: Lot): Tokens {
  const input = Math.round(size * (250_000 + 1_600_000 * lot(0)));
  const cached = Math.round(input * (0.78 + 0.16 * lot(1)));
  const output = Math.round(input * (0.008 + 0.018 * lot(2)));
  const reasoning = Math.round(output * (0.3 + 0.4 * lot(3)));
  const total = input + output + (source === GEMINI ? reasoning : 0);
  return { total, input, cached, output, reasoning };
}

/** The lots of a day are always the same (mixed as MurmurHash3, which is in the public domain, does in the end). */
function lotsOf(day: Day): Lot {
  const date = Date.parse(day) / DAY;
  return (...salts) => {
    let hash = date;
    for (const salt of salts) {
      hash = Math.imul(hash ^ (hash >>> 16) ^ Math.imul(salt + 1, 0x9e3779b1), 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
      hash ^= hash >>> 16;
    }
    return (hash >>> 0) / 2 ** 32;
  };
}

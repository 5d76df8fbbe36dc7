/** A leaderboard of made-up people, with oneself among them. */

import { DAYS_OF_USE } from "#api/mock/life.ts";
import type { Days } from "#api/server.ts";
import { addDays, type Day, firstOf, lastOf, monthOf, sundayOf } from "#data/days.ts";
import type { BoardEntry, Period } from "#data/wire.ts";

const RANKS = Array.from({ length: 37 }, (_, index) => index + 1);
export const MY_RANK = 12;
const ANONYMOUS = "Anonymous";

const NAMES = [
  ...["Noor", "Tomasz", "Inés", "Kofi", "Yuki", "Anouk", "Mateo", "Priya", "Lars", "Zofia"],
  ...["Omar", "Mei", "Sanna", "Ravi", "Chloé", "Emeka", "Hana", "Viktor", "Aroha", "Dilan"],
  ...["Leila", "Jun", "Petra", "Sami", "Wanjiru"],
];

const NAMED = RANKS.filter((rank) => unevenness(rank) > 3);

/** Of the user who looks at it; without a name they do not want to be seen. */
export interface Me {
  name: string | null;
  tokens: number;
}

const DAYS: Record<Period, (today: Day) => Days> = {
  day: (today) => ({ from: today, to: today }),
  week: (today) => {
    const sunday = sundayOf(today);
    return { from: sunday, to: addDays(sunday, 6) };
  },
  month: (today) => ({ from: firstOf(monthOf(today)), to: lastOf(monthOf(today)) }),
  total: (today) => ({ from: addDays(today, -DAYS_OF_USE), to: today }),
};

/** Days of UTC, weeks from Sunday on (SRV-14). */
export function daysOf(period: Period, today: Day): Days {
  return DAYS[period](today);
}

/** All places, the first one first. */
export function placesOf(period: Period, me: Me): BoardEntry[] {
  return RANKS.map((rank) => {
    const is_me = rank === MY_RANK;
    const name = is_me ? me.name : nameOf(rank, period);
    return {
      rank,
      is_me,
      is_public: name !== null,
      display_name: name ?? ANONYMOUS,
      avatar_url: null,
      total_tokens: String(Math.floor(me.tokens * timesMine(rank))),
    };
  });
}

/** Some want to be anonymous. */
function nameOf(rank: number, period: Period): string | null {
  const place = NAMED.indexOf(rank);
  return place < 0 ? null : (NAMES[(place + period.length) % NAMES.length] ?? null);
}

function timesMine(rank: number): number {
  if (rank === MY_RANK) return 1;
  const ahead = MY_RANK - rank - 0.08 * unevenness(rank);
  return ahead > 0 ? 1 + 0.11 * ahead + 0.013 * ahead * ahead : 1 + 0.036 * ahead;
}

/** From 0 to 10. */
function unevenness(rank: number): number {
  return (rank * 7) % 11;
}

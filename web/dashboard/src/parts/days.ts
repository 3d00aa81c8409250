// Counts by day, with the days on which nothing happened.

import { isUtc } from "../app/preferences";

const DAY_MS = 86_400_000;

export interface ByDay {
  /** Where each day begins in the preferred zone, so that an axis of times calls it by its date. */
  times: number[];
  values: number[];
}

/** The count of each day (UTC) from `from` to `to`; `counts` are those of some, by any time of the day. */
export function byDay(from: string, to: string, counts: [time: string, count: number][]): ByDay {
  const first = dayOf(Date.parse(from));
  const length = dayOf(Date.parse(to) - 1) - first + 1;
  const days = Array.from({ length: Math.max(length, 0) }, (_, n) => first + n);
  const known = new Map(counts.map(([time, count]) => [dayOf(Date.parse(time)), count]));
  return { times: days.map(midnight), values: days.map((day) => known.get(day) ?? 0) };
}

/** Where the day of this time (UTC) begins, likewise. */
export function beginOfDay(time: string): number {
  return midnight(dayOf(Date.parse(time)));
}

/** Days since 1970, in UTC. */
function dayOf(time: number): number {
  return Math.floor(time / DAY_MS);
}

/** Midnight in the preferred zone on the date that a day has in UTC. */
function midnight(day: number): number {
  if (isUtc()) return day * DAY_MS;
  const date = new Date(day * DAY_MS);
  return new Date(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()).getTime();
}

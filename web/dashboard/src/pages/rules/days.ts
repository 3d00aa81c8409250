// Counts by day, with the days on which nothing happened.

const DAY_MS = 86_400_000;

/** Where each day (UTC) from `from` to `to` begins. */
export function days(from: string, to: string): number[] {
  const first = Math.floor(Date.parse(from) / DAY_MS);
  const last = Math.floor((Date.parse(to) - 1) / DAY_MS);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, n) => (first + n) * DAY_MS);
}

/** The count of each of `times`; `counts` are those of some, by any time of the day. */
export function perDay(times: number[], counts: [day: string, count: number][]): number[] {
  const byDay = new Map(counts.map(([day, count]) => [Math.floor(Date.parse(day) / DAY_MS) * DAY_MS, count]));
  return times.map((time) => byDay.get(time) ?? 0);
}

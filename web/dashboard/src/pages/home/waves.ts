// Waves: what came together, for the same reason, is one row and not many.

/** What comes within so long of the one before is of the same wave. */
const GAP_MS = 30 * 60_000;

export interface Wave<Row> {
  rows: Row[];
  /** When the first and the last of it came. */
  from: number;
  to: number;
}

interface Of<Row> {
  /** Why it came; undefined for what is never grouped. */
  reason: (row: Row) => string | undefined;
  at: (row: Row) => number;
}

/** Whether there may be more of a wave than was found when the oldest that was looked at came at `end`. */
export function goesOn<Row>({ from }: Wave<Row>, end: number): boolean {
  return from - end <= GAP_MS;
}

/** Groups rows, in the order of the newest of each wave. */
export function wavesOf<Row>(rows: Row[], { reason, at }: Of<Row>): Wave<Row>[] {
  const waves: Wave<Row>[] = [];
  const last = new Map<string, Wave<Row>>();
  for (const row of rows.toSorted((one, other) => at(other) - at(one))) {
    const why = reason(row);
    const time = at(row);
    const wave = why === undefined ? undefined : last.get(why);
    if (wave && wave.from - time <= GAP_MS) {
      wave.rows.push(row);
      wave.from = time;
      continue;
    }
    const begun = { rows: [row], from: time, to: time };
    waves.push(begun);
    if (why !== undefined) last.set(why, begun);
  }
  return waves;
}

// Escalations that open while somebody is at the queue: they wait below it, so that no row moves under the hand.

import { useReducer, useRef } from "react";
import type { Escalation } from "./escalations";

interface Seen {
  list: string;
  ids: Set<number>;
  /** When the list was last shown whole. */
  at: number;
}

/** Without those that have come above one that was shown, until `show`; `list` says what the rows were asked for by. */
export function useArrivals(rows: Escalation[], list: string) {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const seen = useRef<Seen>({ list, ids: new Set(), at: 0 });
  if (seen.current.list !== list) seen.current = { list, ids: new Set(), at: Date.now() };
  const { ids } = seen.current;
  const last = rows.findLastIndex(({ id }) => ids.has(id));
  const shown = rows.filter(({ id }, index) => ids.has(id) || index > last);
  for (const { id } of shown) ids.add(id);
  const show = () => {
    ids.clear();
    seen.current.at = Date.now();
    draw();
  };
  const arrived = rows.length - shown.length;
  // Of what has come since, nothing; whatever the clock of this machine says.
  const newest = Math.max(...shown.map(({ openedAt }) => Date.parse(openedAt)), seen.current.at);
  const first = Math.min(...rows.filter(({ id }) => !ids.has(id)).map(({ openedAt }) => Date.parse(openedAt)), newest + 1);
  return { shown, arrived, show, openedBefore: new Date(first).toISOString() };
}

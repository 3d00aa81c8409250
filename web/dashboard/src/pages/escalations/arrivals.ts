// Escalations that open while somebody is at the queue: they wait below it, so that no row moves under the hand.

import { useReducer, useRef } from "react";
import type { Escalation } from "./escalations";

interface Seen {
  list: string;
  ids: Set<number>;
  /** When the list was last shown whole. */
  at: number;
}

/**
 * The first `most` rows, without those that have come above one that was shown, until `show`; `list` says what the rows were asked for
 * by. Rows beyond the first `most` take the places of those that are done with, so that the page stays full.
 */
export function useArrivals(rows: Escalation[], list: string, most: number) {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const seen = useRef<Seen>({ list, ids: new Set(), at: 0 });
  if (seen.current.list !== list) seen.current = { list, ids: new Set(), at: Date.now() };
  const { ids } = seen.current;
  const last = rows.findLastIndex(({ id }) => ids.has(id));
  const come = rows.filter(({ id }, index) => !ids.has(id) && index < last);
  const shown = rows.filter(({ id }, index) => ids.has(id) || index > last).slice(0, most);
  for (const { id } of shown) ids.add(id);
  const show = () => {
    ids.clear();
    seen.current.at = Date.now();
    draw();
  };
  // Of what has come since, nothing; whatever the clock of this machine says.
  const newest = Math.max(...shown.map(({ openedAt }) => Date.parse(openedAt)), seen.current.at);
  const first = Math.min(...come.map(({ openedAt }) => Date.parse(openedAt)), newest + 1);
  return { shown, arrived: come.length, show, openedBefore: new Date(first).toISOString() };
}

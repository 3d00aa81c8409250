// Escalations that open while somebody is at the queue: they wait below it, so that no row moves under the hand.

import { useReducer, useRef } from "react";
import type { Escalation } from "./escalations";

interface Seen {
  list: string;
  ids: Set<number>;
}

/** Without those that have come above one that was shown, until `show`; `list` says what the rows were asked for by. */
export function useArrivals(rows: Escalation[], list: string) {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const seen = useRef<Seen>({ list, ids: new Set() });
  if (seen.current.list !== list) seen.current = { list, ids: new Set() };
  const { ids } = seen.current;
  const last = rows.findLastIndex(({ id }) => ids.has(id));
  const shown = rows.filter(({ id }, index) => ids.has(id) || index > last);
  for (const { id } of shown) ids.add(id);
  const show = () => {
    ids.clear();
    draw();
  };
  return { shown, arrived: rows.length - shown.length, show };
}

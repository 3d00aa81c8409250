// Which escalation of the queue is looked at: it stays whatever arrives, and the next one takes its place when it leaves.

import { useState } from "react";
import { usePageSearch } from "../../app/search";
import type { Escalation } from "./escalations";

export interface Selection {
  current: Escalation | undefined;
  select: (escalation: Escalation | undefined) => void;
  /** Goes down or up. */
  step: (by: 1 | -1) => void;
}

export function useSelection(rows: Escalation[]): Selection {
  const [search] = usePageSearch();
  const [chosen, choose] = useState({ id: Number(search.escalation) || 0, place: 0 });
  const found = rows.findIndex(({ id }) => id === chosen.id);
  const at = Math.min(found >= 0 ? found : chosen.place, rows.length - 1);
  const current = rows[at];
  // Its place is where the next one will be.
  if (current && (current.id !== chosen.id || at !== chosen.place)) choose({ id: current.id, place: at });
  const select = (escalation: Escalation | undefined) => escalation && choose({ id: escalation.id, place: rows.indexOf(escalation) });
  return { current, select, step: (by) => select(rows[at + by]) };
}

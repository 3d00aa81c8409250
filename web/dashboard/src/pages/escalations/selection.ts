// Which escalation of the queue is looked at. It stays until one goes on, whatever arrives and leaves meanwhile: a key never
// acts on another one than the one that was read.

import { useDebouncedCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { usePageSearch } from "../../app/search";
import { escalationQuery, type Escalation } from "./escalations";

/** How long one stays on an escalation before the address names it: whoever goes through the queue is not held up. */
const STAY_MS = 150;

export interface Selection {
  current: Escalation | undefined;
  select: (escalation: Escalation | undefined) => void;
  /** Goes down or up. */
  step: (by: 1 | -1) => void;
  /** Goes on from one that is done with. */
  leave: () => void;
  /** Has the address name it now. */
  keep: () => Promise<void>;
}

/** `list` says what the rows were asked for by: another list begins at its top. Of rows that are `isOld`, none is chosen. */
export function useSelection(rows: Escalation[], list: string, isOld: boolean): Selection {
  const [search] = usePageSearch();
  const [id, choose] = useState<number | undefined>(Number(search.escalation) || undefined);
  const [place, setPlace] = useState(0);
  const [shown, show] = useState(list);
  const at = rows.findIndex((row) => row.id === id);
  const gone = useGone(at < 0 && !isOld ? id : undefined);
  if (shown !== list) {
    show(list);
    choose(undefined);
  } else if (rows[0] && !isOld && (id === undefined || gone.isError)) {
    choose(rows[0].id);
  }
  if (at >= 0 && at !== place) setPlace(at);
  const keep = useInAddress(id);
  const select = (escalation: Escalation | undefined) => choose(escalation?.id);
  const step = (by: 1 | -1) => {
    // In the place of one that has left is the one that came after it.
    const next = at >= 0 ? at + by : by > 0 ? place : place - 1;
    const to = rows[Math.min(Math.max(next, 0), rows.length - 1)];
    if (to) select(to);
  };
  const leave = () => select(at < 0 ? (rows[place] ?? rows.at(-1)) : (rows[at + 1] ?? rows[at - 1]));
  return { current: rows[at] ?? gone.data, select, step, leave, keep };
}

export interface Marks {
  ids: Set<number>;
  /** Marks one, or takes its mark off; with `isRange`, all between the last one and this one like this one. */
  toggle: (id: number, isRange?: boolean) => void;
  clear: () => void;
}

/** Which rows are selected, to be acted on together: of another list, none. */
export function useMarks(rows: Escalation[], list: string): Marks {
  const [marked, mark] = useState({ list, ids: new Set<number>(), last: 0 });
  const ids = new Set(rows.flatMap(({ id }) => (marked.list === list && marked.ids.has(id) ? id : [])));
  const toggle = (id: number, isRange = false) => {
    const at = (of: number) => rows.findIndex((row) => row.id === of);
    const [from, to] = [isRange && at(marked.last) >= 0 ? at(marked.last) : at(id), at(id)].toSorted((one, other) => one - other);
    const isOn = !ids.has(id);
    for (const row of rows.slice(from, (to ?? 0) + 1)) isOn ? ids.add(row.id) : ids.delete(row.id);
    mark({ list, ids, last: id });
  };
  return { ids, toggle, clear: () => mark({ list, ids: new Set(), last: 0 }) };
}

/** One that is looked at and is not in the list: somebody else has dealt with it, or an address has led to it. */
function useGone(id: number | undefined) {
  return useQuery({ ...escalationQuery(id ?? 0), enabled: id !== undefined });
}

/** Whoever comes back, or is sent the address, finds the same one. Returns what has the address name it at once. */
function useInAddress(id: number | undefined): () => Promise<void> {
  const [{ escalation }] = usePageSearch();
  const navigate = useNavigate();
  const named = id === undefined ? undefined : String(id);
  const write = async () => {
    if (named === escalation) return;
    const search = (previous: Record<string, string>) => ({ ...previous, escalation: named });
    await navigate({ to: ".", search: search as never, replace: true, resetScroll: false });
  };
  const settle = useDebouncedCallback(write, STAY_MS);
  useEffect(() => {
    settle();
  }, [named, settle]);
  return write;
}

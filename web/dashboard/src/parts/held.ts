// Rows that stay where they are while somebody is at them: what is new of each is shown in its place.

import { useReducer, useRef } from "react";
import { usePageSearch } from "../app/search";

interface Rows<Row> {
  content: Row[];
  /** Whether the page holds the whole list: a row that is missing then is no more. */
  first: boolean;
  last: boolean;
}

interface Held<Row> {
  /** Of which list they are. */
  address: string;
  rows: Row[];
  /** False while the page that was asked for is on its way. */
  isSettled: boolean;
}

/** The rows to show; `isOld` where the list has others by now, or another order, which `show` goes over to. */
export function useHeld<Row>(page: Rows<Row>, rowKey: (row: Row) => string | number, { isHeld, isWaiting }: { isHeld: boolean; isWaiting: boolean }) {
  const [search] = usePageSearch();
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const address = JSON.stringify(search);
  const held = useRef<Held<Row>>({ address, rows: page.content, isSettled: !isWaiting });
  const { current } = held;
  // Another filter, order or page is what whoever is at the list has asked for.
  if (current.address !== address || !current.isSettled || !isHeld) held.current = { address, rows: page.content, isSettled: !isWaiting };
  const fresh = new Map(page.content.map((row) => [rowKey(row), row]));
  const isWhole = page.first && page.last;
  const rows = held.current.rows.flatMap((row) => fresh.get(rowKey(row)) ?? (isWhole ? [] : [row]));
  const isOld = rows.length !== page.content.length || rows.some((row, index) => rowKey(row) !== rowKey(page.content[index] as Row));
  const show = () => {
    held.current = { address, rows: page.content, isSettled: true };
    draw();
  };
  return { rows, isOld, show };
}

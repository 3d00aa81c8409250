// What a list shows is in the address of its page, so that it can be sent to others, kept as a view and gone back to.

import { useNavigate, useSearch } from "@tanstack/react-router";

/** The query of an address, each name once. */
export type Search = Record<string, string>;

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const set = Object.entries(search).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

/** The query of this page's address, and a way to change parts of it; undefined or "" takes one away. */
export function usePageSearch(): [Search, (change: Record<string, string | undefined>) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const change = (parts: Record<string, string | undefined>) => {
    // Another filter or order begins at its first page.
    const page = "pageNumber" in parts ? {} : { pageNumber: undefined };
    void navigate({ to: ".", search: { ...search, ...page, ...parts } as never, replace: true });
  };
  return [search, change];
}

/** The page and the order of the list that the address asks for. */
export function useListQuery() {
  const [{ pageNumber, sort, order }] = usePageSearch();
  return {
    pageNumber: Number(pageNumber ?? 0),
    ...(sort ? { sort } : {}),
    ...(order === "ASC" || order === "DESC" ? { order: order as "ASC" | "DESC" } : {}),
  };
}

// Views: filters and an order of the list under a name, which the team keeps together.

import { useMutation, useQuery } from "@tanstack/react-query";
import { refresh } from "../../api";
import { parseSearch, stringifySearch, type Search } from "../../app/search";

export interface View {
  id: number;
  name: string;
  page: string;
  /** The query of the address, without "?". */
  query: string;
  createdBy: string | null;
  createdAt: string;
}

const PAGE = "identities";
const PATH = "/api/views";

async function call(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(path, init);
  if (!response.ok && response.status !== 404) throw await response.json();
  return response;
}

/** The team's views; null from a server that keeps none. */
async function fetchViews(): Promise<View[] | null> {
  const response = await call(`${PATH}?page=${PAGE}`);
  return response.ok ? ((await response.json()) as View[]) : null;
}

export function useViews() {
  return useQuery({ queryKey: ["get", PATH, PAGE], queryFn: fetchViews, staleTime: 60_000 });
}

export function useSaveView() {
  return useMutation({
    mutationFn: ({ name, search }: { name: string; search: Search }) =>
      call(PATH, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ name, page: PAGE, query: stringifySearch(search).slice(1) }),
      }),
    onSuccess: () => refresh(PATH),
    onError: () => {},
  });
}

export function useRemoveView() {
  return useMutation({ mutationFn: (id: number) => call(`${PATH}/${id}`, { method: "DELETE" }), onSuccess: () => refresh(PATH) });
}

/** Whether an address shows just what a view keeps. */
export function isShown(view: Search, shown: Search): boolean {
  const names = Object.keys(view);
  return names.length === Object.keys(shown).length && names.every((name) => view[name] === shown[name]);
}

/** What everybody begins with. */
export const BUILT_IN: [name: string, search: Search][] = [
  ["All", {}],
  ["Scripts", parseSearch("humanityMax=29&sort=humanityScore&order=ASC")],
  ["Made up", parseSearch("authenticityMax=29&sort=authenticityScore&order=ASC")],
  ["Duplicates", parseSearch("uniquenessMax=29&sort=uniquenessScore&order=ASC")],
  ["Abuse", parseSearch("behaviorMax=29&sort=behaviorScore&order=ASC")],
  ["New", parseSearch("sort=createdAt&order=DESC")],
  ["Disregarded", parseSearch("disregarded=true")],
];

// Views: filters and an order of the list under a name, which the team keeps together.

import { $api, refresh, type Schemas } from "../../api";
import { parseSearch, stringifySearch, type Search } from "../../app/search";

export type View = Schemas["ViewBody"];

const PAGE = "identities";

export function useViews() {
  return $api.useQuery("get", "/api/views", { params: { query: { page: PAGE } } }, { staleTime: 60_000 });
}

/** Keeps what the address shows, by `bodyOf`. */
export function useSaveView() {
  return $api.useMutation("post", "/api/views", { onSuccess: () => refresh("/api/views"), onError: () => {} });
}

export function useRemoveView() {
  return $api.useMutation("delete", "/api/views/{id}", { onSuccess: () => refresh("/api/views") });
}

export function bodyOf(name: string, search: Search): Schemas["NewViewBody"] {
  return { name, page: PAGE, query: stringifySearch(search).slice(1) };
}

/** Whether an address shows just what a view keeps. */
export function isShown(view: Search, shown: Search): boolean {
  const names = Object.keys(view);
  return names.length === Object.keys(shown).length && names.every((name) => view[name] === shown[name]);
}

/** What everybody begins with. */
export const BUILT_IN: [name: string, search: Search][] = [
  ["All", {}],
  ["Bots", parseSearch("humanityMax=29&sort=humanityScore&order=ASC")],
  ["Fake details", parseSearch("authenticityMax=29&sort=authenticityScore&order=ASC")],
  ["Duplicates", parseSearch("uniquenessMax=29&sort=uniquenessScore&order=ASC")],
  ["Abuse", parseSearch("behaviorMax=29&sort=behaviorScore&order=ASC")],
  ["New", parseSearch("sort=firstSeenAt&order=DESC")],
  ["Disregarded", parseSearch("disregarded=true")],
];

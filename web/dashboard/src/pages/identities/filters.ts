// What the list of identities can be narrowed by, as it stands in the address and as the API takes it.

import { usePageSearch, type Search } from "../../app/search";
import { CATEGORIES, type Category } from "../../parts/score";

const TEXTS = ["term", "group", "groupType", "device", "badge", "disregarded"] as const;
type End = `${Lowercase<Category>}${"Min" | "Max"}`;

/** The names of the ends of a category's range: "humanityMin" and "humanityMax". */
export function endsOf(category: Category): [least: End, most: End] {
  const name = category.toLowerCase() as Lowercase<Category>;
  return [`${name}Min`, `${name}Max`];
}

const ENDS = CATEGORIES.flatMap(endsOf);
export const FILTERS: readonly string[] = [...TEXTS, ...ENDS];

function pick(search: Search, names: readonly string[]): Search {
  return Object.fromEntries(names.flatMap((name) => (search[name] ? [[name, search[name]]] : [])));
}

/** The filters of an address, without its order and page. */
export function filtersOf(search: Search): Search {
  return pick(search, FILTERS);
}

/** What a view keeps: filters and order. */
export function viewOf(search: Search): Search {
  return pick(search, [...FILTERS, "sort", "order"]);
}

/** What the API is asked for. It says itself what is wrong with an address that somebody has written by hand. */
export function queryOf({ disregarded, ...search }: Search) {
  return {
    ...pick(search, ["term", "group", "groupType", "device", "badge", "sort"]),
    ...Object.fromEntries(Object.entries(pick(search, ENDS)).map(([name, value]) => [name, Number(value)])),
    ...(disregarded ? { disregarded: disregarded === "true" } : {}),
    ...(search.order === "ASC" || search.order === "DESC" ? { order: search.order as "ASC" | "DESC" } : {}),
    pageNumber: Number(search.pageNumber ?? 0),
  };
}

/** Takes every filter away. */
export function useClearFilters(): () => void {
  const [, change] = usePageSearch();
  return () => change(Object.fromEntries(FILTERS.map((name) => [name, undefined])));
}

import { usePageSearch } from "../../app/search";

/** The page and the order of the list that a tab shows, by its address. */
export function useListQuery() {
  const [{ pageNumber, sort, order }] = usePageSearch();
  return {
    pageNumber: Number(pageNumber ?? 0),
    ...(sort ? { sort } : {}),
    ...(order === "ASC" || order === "DESC" ? { order: order as "ASC" | "DESC" } : {}),
  };
}

import { $api, type Schemas } from "../../api";

export type Entry = Schemas["HistoryEntryBody"];

/** Past cycles that are drawn and can be chosen. */
const CYCLES = 200;

/** The scores of past cycles, newest first. */
export function useHistory(id: string) {
  return $api.useQuery("get", "/api/identities/{id}/history", { params: { path: { id }, query: { limit: CYCLES } } });
}

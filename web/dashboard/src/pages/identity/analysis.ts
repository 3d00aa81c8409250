import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";

/** The analysis that the page of an identity shows: the newest, or the one of the cycle that the address names. */
export function useShownAnalysis({ id, lastScoredAt }: Schemas["IdentityBody"]) {
  const [{ cycle }] = usePageSearch();
  const newest = $api.useQuery("get", "/api/identities/{id}/analysis", { params: { path: { id } } }, { enabled: !cycle && Boolean(lastScoredAt) });
  // What a past cycle has found does not change any more.
  const path = { id, cycleId: Number(cycle ?? 0) };
  const past = $api.useQuery("get", "/api/identities/{id}/analysis/{cycleId}", { params: { path } }, { enabled: !!cycle, staleTime: Infinity });
  return cycle ? past : newest;
}

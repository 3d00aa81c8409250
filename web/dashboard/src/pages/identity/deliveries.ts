// The deliveries of one identity over every channel.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { Schemas } from "../../api";
import { stringifySearch } from "../../app/search";

type DeliveryPage = Schemas["Page_DeliveryBody"];

/** Their page; null from a server that cannot list them. */
async function fetchDeliveries(query: Record<string, string | number>): Promise<DeliveryPage | null> {
  const response = await fetch(`/api/deliveries${stringifySearch(query)}`);
  if (response.status === 404) return null;
  const answer: unknown = await response.json();
  if (!response.ok) throw answer;
  return answer as DeliveryPage;
}

export function useDeliveries(query: { identity: string; pageNumber?: number; sort?: string; order?: string }) {
  return useQuery({
    queryKey: ["get", "/api/deliveries", { params: { query } }],
    queryFn: () => fetchDeliveries(query),
    placeholderData: keepPreviousData,
  });
}

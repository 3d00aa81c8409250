// What names of events and of identity fields mean, and how that is changed.

import { $api, api, asApiError, refresh } from "../../api";

export type Kind = "EVENT_TYPE" | "IDENTITY_FIELD";

export const KINDS: { value: Kind; label: string }[] = [
  { value: "EVENT_TYPE", label: "Event types" },
  { value: "IDENTITY_FIELD", label: "Identity fields" },
];

/** The kind that the address says. */
export function kindOf(text: string | undefined): Kind {
  return text === "IDENTITY_FIELD" ? text : "EVENT_TYPE";
}

/** The canonical types of a kind. */
export function useTargets(kind: Kind): string[] {
  const { data } = $api.useQuery("get", "/api/mappings/canonical-types", undefined, { staleTime: Infinity });
  return (kind === "EVENT_TYPE" ? data?.eventTypes : data?.identityFields) ?? [];
}

/** A name as mappings have it: "userSignedUp" and "user.signed-up" are both "user_signed_up". */
export function snake(name: string): string {
  return name
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1_$2")
    .replace(/(\p{Lu})(?=\p{Lu}\p{Ll})/gu, "$1_")
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/^_|_$/g, "")
    .toLowerCase();
}

/** Says what a name means from now on; null is nothing. The team's own mapping of that name, if there is one, is changed. */
export async function setMeaning(kind: Kind, name: string, target: string | null): Promise<void> {
  const { error } = await api.POST("/api/mappings", { body: { kind, source: name, target } });
  if (error) {
    if (asApiError(error)?.code !== "mapping_exists") throw error;
    await changeOwn(kind, name, target);
  }
  await refreshMeanings();
}

async function changeOwn(kind: Kind, name: string, target: string | null): Promise<void> {
  const source = snake(name);
  for (let pageNumber = 0; ; pageNumber++) {
    const query = { kind, scope: "CUSTOMER", term: source, pageSize: 100, pageNumber };
    const { data, error } = await api.GET("/api/mappings", { params: { query } });
    if (error) throw error;
    const own = data.content.find((mapping) => mapping.source === source);
    if (own?.id != null) {
      const changed = await api.PATCH("/api/mappings/{id}", { params: { path: { id: own.id } }, body: { target } });
      if (changed.error) throw changed.error;
      return;
    }
    // Somebody has removed it meanwhile: the page asks again and shows so.
    if (data.last) return;
  }
}

/** What is shown of meanings is asked for again: of events and identities as well, which have them in their words. */
export function refreshMeanings(): Promise<void> {
  return refresh("/api/mappings", "/api/events", "/api/identities");
}

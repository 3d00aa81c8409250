// What names of events and of identity fields mean, and how that is changed.

import { $api, api, refresh } from "../../api";

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

/** A name and its canonical type; null is none. */
export interface Mapped {
  kind: Kind;
  name: string;
  target: string | null;
}

/** Maps a name from now on. Answers what takes it back: the team's own mapping of that name as it was, or none. */
export async function changeMapping(kind: Kind, name: string, target: string | null): Promise<() => Promise<void>> {
  const own = await findOwn(kind, name);
  const id = own ? await patch(own.id, target) : await create(kind, name, target);
  await refreshMeanings();
  return async () => {
    if (own) await patch(id, own.target);
    else await removeMapping(id);
    await refreshMeanings();
  };
}

/** Removes a mapping of the team. Answers what takes it back. */
export async function dropMapping({ id, kind, source, target }: { id: number; kind: Kind; source: string; target: string | null }): Promise<() => Promise<void>> {
  await removeMapping(id);
  await refreshMeanings();
  return async () => {
    await create(kind, source, target);
    await refreshMeanings();
  };
}

async function create(kind: Kind, source: string, target: string | null): Promise<number> {
  const { data, error } = await api.POST("/api/mappings", { body: { kind, source, target } });
  if (!data) throw error;
  return data.id ?? 0;
}

async function patch(id: number, target: string | null): Promise<number> {
  const { error } = await api.PATCH("/api/mappings/{id}", { params: { path: { id } }, body: { target } });
  if (error) throw error;
  return id;
}

async function removeMapping(id: number): Promise<void> {
  const { error } = await api.DELETE("/api/mappings/{id}", { params: { path: { id } } });
  if (error) throw error;
}

/** The team's own mapping of a name, if there is one. */
async function findOwn(kind: Kind, name: string): Promise<{ id: number; target: string | null } | undefined> {
  const source = snake(name);
  for (let pageNumber = 0; ; pageNumber++) {
    const query = { kind, scope: "CUSTOMER", term: source, pageSize: 100, pageNumber };
    const { data, error } = await api.GET("/api/mappings", { params: { query } });
    if (!data) throw error;
    const own = data.content.find((mapping) => mapping.source === source);
    if (own?.id != null) return { id: own.id, target: own.target ?? null };
    if (data.last) return undefined;
  }
}

/** What is shown of meanings is asked for again: of events and identities as well, which have them in their words. */
export function refreshMeanings(): Promise<void> {
  return refresh("/api/mappings", "/api/events", "/api/identities");
}

// What the things are called that the audit log is about: as they are called now, or as they were when they were last written down.

import { useQueries } from "@tanstack/react-query";
import { api, type Schemas } from "../../api";
import { every } from "../rules/rules";

type Entry = Schemas["AuditEntryBody"];
type Named = [id: number | string, name: string];

async function all<Thing>(asked: Promise<{ data?: Thing[]; error?: unknown }>): Promise<Thing[]> {
  const { data, error } = await asked;
  if (!data) throw error;
  return data;
}

const nameOf = ({ id, name }: { id: number; name: string }): Named => [id, name];
const personOf = ({ id, name, email }: Schemas["UserBody"]): Named => [id, name ?? email];
const people = { path: "/api/team/members", ask: async () => (await all(api.GET("/api/team/members"))).map(personOf) };

/** Where the names are that there are now, by the type of the target: a team has few of each. */
const NOW: Record<string, { path: string; ask: () => Promise<Named[]> }> = {
  "badge-rule": { path: "/api/badge-rules", ask: async () => (await every((query) => api.GET("/api/badge-rules", { params: { query } }))).map(nameOf) },
  "escalation-rule": { path: "/api/escalation-rules", ask: async () => (await every((query) => api.GET("/api/escalation-rules", { params: { query } }))).map(nameOf) },
  counter: { path: "/api/counters", ask: async () => (await every((query) => api.GET("/api/counters", { params: { query } }))).map(nameOf) },
  channel: { path: "/api/channels", ask: async () => (await all(api.GET("/api/channels"))).map(nameOf) },
  credential: { path: "/api/credentials", ask: async () => (await all(api.GET("/api/credentials"))).map(nameOf) },
  list: { path: "/api/lists", ask: async () => (await all(api.GET("/api/lists"))).map(nameOf) },
  view: { path: "/api/views", ask: async () => (await all(api.GET("/api/views"))).map(nameOf) },
  member: people,
  user: people,
};

/** The fields that entries about such a thing have its name in, the best first. No entry about somebody is looked into. */
const FIELDS: Record<string, string[]> = {
  "badge-rule": ["name"], "escalation-rule": ["name"], counter: ["name"], channel: ["name"], credential: ["name"], list: ["name", "list"], view: ["name"],
  "mcp-token": ["name"], "mcp-client": ["name"], mapping: ["source"], "dataset-entry": ["value"], member: ["name", "email"], user: ["email"], invitation: ["email"], team: ["name"],
};

/** The name that an entry has written down; of one that changes it, the later. */
function written({ targetType, before, after }: Entry): string | undefined {
  for (const field of FIELDS[targetType] ?? []) {
    for (const side of [after, before] as (Record<string, unknown> | null | undefined)[]) {
      const name = side?.[field];
      if (typeof name === "string" && name !== "") return name;
    }
  }
  return undefined;
}

const keyOf = ({ targetType, targetId }: Entry): string => `${targetType} ${targetId}`;

export interface Target {
  name: string | undefined;
  /** Whether it is still there; false as well where that is not known. */
  isThere: boolean;
}

/** Says of an entry of the page what its target is called. */
export function useTargets(entries: Entry[]): (entry: Entry) => Target {
  const types = [...new Set(entries.map(({ targetType }) => targetType))].filter((type) => type in NOW);
  const now = useQueries({
    queries: types.map((type) => ({ queryKey: ["get", NOW[type]?.path, "names"], queryFn: () => NOW[type]?.ask() ?? [] })),
    combine: (answers) => ({
      isKnown: answers.every(({ isPending }) => !isPending),
      names: new Map(answers.flatMap(({ data }, at) => (data ?? []).map(([id, name]): [string, string] => [`${types[at] ?? ""} ${id}`, name]))),
    }),
  });
  // Newest first or oldest first: the one that was written last.
  const last = new Map<string, string>();
  for (const entry of entries.toSorted((one, other) => one.id - other.id)) {
    const name = written(entry);
    if (name !== undefined) last.set(keyOf(entry), name);
  }
  const lost = now.isKnown ? entries.filter((entry) => entry.targetType in FIELDS && !now.names.has(keyOf(entry)) && !last.has(keyOf(entry))) : [];
  const gone = useGone([...new Map(lost.map((entry) => [keyOf(entry), entry])).values()]);
  return (entry) => ({ name: now.names.get(keyOf(entry)) ?? last.get(keyOf(entry)) ?? gone.get(keyOf(entry)), isThere: now.names.has(keyOf(entry)) });
}

/** What things were called that are no more, and that no entry of the page names: those of their deletion do. */
function useGone(entries: Entry[]): Map<string, string> {
  return useQueries({
    queries: entries.map(({ targetType, targetId }) => ({
      queryKey: ["get", "/api/audit-log", "deletion", targetType, targetId],
      staleTime: Infinity,
      queryFn: async () => {
        const query = { targetType, targetId, action: `${targetType}.delete`, pageSize: 1 };
        const { data, error } = await api.GET("/api/audit-log", { params: { query } });
        if (!data) throw error;
        return data.content.map(written)[0] ?? null;
      },
    })),
    combine: (answers) => new Map(answers.flatMap(({ data }, at): [string, string][] => (data ? [[keyOf(entries[at] as Entry), data]] : []))),
  });
}

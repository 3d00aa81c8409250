// Entries of the team's own in a dataset, and how they are changed.

import { api, refresh } from "../../api";

export interface Entry {
  slug: string;
  value: string;
  included: boolean;
  note: string | null;
}

/** Adds an entry. Answers what takes it back. */
export async function addEntry(entry: Entry): Promise<() => Promise<void>> {
  const id = await create(entry);
  await changed();
  return async () => {
    await remove(entry.slug, id);
    await changed();
  };
}

/** Removes an entry. Answers what takes it back. */
export async function dropEntry(id: number, entry: Entry): Promise<() => Promise<void>> {
  await remove(entry.slug, id);
  await changed();
  return async () => {
    await create(entry);
    await changed();
  };
}

async function create({ slug, ...body }: Entry): Promise<number> {
  const { data, error } = await api.POST("/api/datasets/{slug}/entries", { params: { path: { slug } }, body });
  if (!data) throw error;
  return data.id ?? 0;
}

async function remove(slug: string, id: number): Promise<void> {
  const { error } = await api.DELETE("/api/datasets/{slug}/entries/{id}", { params: { path: { slug, id } } });
  if (error) throw error;
}

function changed(): Promise<void> {
  return refresh("/api/datasets", "/api/identities");
}

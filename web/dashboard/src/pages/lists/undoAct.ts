// Undoes what an act put on lists, by its entry in the audit log.

import { api, refresh, tell, type Schemas } from "../../api";
import { counted } from "../../parts/counts";
import { offer } from "../../parts/offer";

type Undone = Schemas["UndoneBody"];

/** Takes off what the act put there. Answers what became of it. */
export async function undo(id: number): Promise<Undone> {
  const { data, error } = await api.POST("/api/audit-log/{id}/actions/undo", { params: { path: { id } } });
  if (!data) throw error;
  return data;
}

/** Says what was done, with a way back where the audit log has one. */
export function tellUndoable(message: string, auditId: number | null | undefined): void {
  if (auditId == null) return tell(message);
  offer(message, "Undo", async () => {
    tell(undoneWords(await undo(auditId)));
    await refreshUndone();
  });
}

/** Asks again for what may have changed with it. */
export function refreshUndone(): Promise<void> {
  return refresh("/api/lists", "/api/identities", "/api/escalations", "/api/audit-log");
}

/** "5 entries are taken off the lists. 1 stays…", of what was done or would be. */
export function undoneWords({ written, lists }: Undone): string {
  const sum = (of: (list: Undone["lists"][number]) => number) => lists.reduce((sum, list) => sum + of(list), 0);
  const removed = sum(({ removed }) => removed);
  const verb = (count: number) => (written ? (count === 1 ? "entry is" : "entries are") : count === 1 ? "entry will be" : "entries will be");
  const changed = sum(({ changedSince }) => changedSince);
  const before = sum(({ thereBefore }) => thereBefore);
  return [
    `${removed.toLocaleString("en")} ${verb(removed)} removed from ${lists.map(({ name }) => name).join(", ")}.`,
    changed > 0 && `${counted(changed, "entry was", "entries were")} changed or removed since, and ${changed === 1 ? "stays" : "stay"} so.`,
    before > 0 && `${counted(before, "entry was", "entries were")} there before, and ${before === 1 ? "stays" : "stay"}.`,
  ].filter(Boolean).join(" ");
}

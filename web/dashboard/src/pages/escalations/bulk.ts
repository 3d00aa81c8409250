// Changes of many escalations: begun, followed to their end, and undone.

import { api, refresh, tell, tellError, type Schemas } from "../../api";
import { word } from "../../parts/score";
import { kindWords, outcomeWords } from "../labels/words";
import { ACTIVE, type QueueQuery } from "./escalations";
import { tellDone } from "./moves";

export type BulkChange = Schemas["BulkChangeBody"];
export type NewBulkChange = Schemas["NewBulkChangeBody"];

/** How often it is asked how far a change is. */
const POLL_MS = 400;
/** What else changes with escalations and labels. */
const CHANGED = ["/api/escalations", "/api/identities", "/api/labels"];

/** What a list was asked for, and until when what is in it has opened. */
export type Chosen = Partial<QueueQuery> & { openedBefore?: string };

/** Which escalations a change is of: those of a list. */
export function filterOf({ status, severity, rule, identity, outcome, assignee, mentioned, overdue, shares, openedBefore }: Chosen): Schemas["BulkFilterBody"] {
  const asked = { status, severity, rule, identity, outcome, assignee, mentioned, overdue, shares, openedBefore };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

/** What it is called to open escalations of a list in this status again: only what was closed is reopened. */
export function backToOpen(status: string | null | undefined): { act: string; done: string } {
  if (status === "CLOSED") return { act: "Reopen", done: "Reopened" };
  if (status === "ACKNOWLEDGED" || status === ACTIVE) return { act: "Unacknowledge", done: "Unacknowledged" };
  return { act: "Unacknowledge or reopen", done: "Set to open" };
}

/** "Closed, labeled bad (duplicate)"; "assigned to ada@example.com"; `before` is the status of the list, where that is known. */
export function changeWords({ status, outcome, kind, assignee }: BulkChange, before?: string | null): string {
  if (!status) return assignee ? `Assigned to ${assignee}` : "Unassigned";
  const moved = status === "OPEN" ? backToOpen(before).done : word(status);
  const of = kindWords(kind)?.toLowerCase();
  return outcome ? `${moved}, ${outcomeWords(outcome).toLowerCase()}${of ? ` (${of})` : ""}` : moved;
}

/** Makes a change of a list in this status, and says what has become of it, with a way back. */
export async function begin(change: NewBulkChange, before?: string): Promise<void> {
  const { data, error } = await api.POST("/api/escalations/bulk-changes", { body: change });
  if (!data) throw error;
  const ended = await follow(data.id, "FINISHED");
  const { changed, skipped } = ended;
  const others = skipped > 0 ? ` ${skipped.toLocaleString("en")} needed no change.` : "";
  const done = `${changeWords(ended, before)}: ${changed.toLocaleString("en")} ${changed === 1 ? "escalation" : "escalations"}.${others}`;
  tellDone(done, () => void undo(ended.id).catch(tellError));
}

/** Takes a change back, and says what could not be. */
export async function undo(id: number): Promise<void> {
  const { error } = await api.POST("/api/escalations/bulk-changes/{id}/actions/undo", { params: { path: { id } } });
  if (error) throw error;
  const { undone, kept } = await follow(id, "UNDONE");
  const others = kept > 0 ? ` ${kept.toLocaleString("en")} had changed since, and stay as they are.` : "";
  tell(`Undone: ${undone.toLocaleString("en")} ${undone === 1 ? "escalation" : "escalations"}.${others}`);
}

/** Waits until a change is in a state. */
async function follow(id: number, state: string): Promise<BulkChange> {
  for (;;) {
    const { data, error } = await api.GET("/api/escalations/bulk-changes/{id}", { params: { path: { id } } });
    if (!data) throw error;
    if (data.state === state) {
      await refresh(...CHANGED);
      return data;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

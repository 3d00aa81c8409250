// What is done to escalations: shown at once, and taken back if the server refuses.

import { Button, Group, Kbd, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutationState } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, queries, refresh, tell, tellError } from "../../api";
import { session } from "../../app/session";
import { OFFER_MS } from "../../parts/offer";
import { word } from "../../parts/score";
import { outcomeWords, type Outcome } from "../labels/words";
import type { Escalation, EscalationPage, Status } from "./escalations";

interface Move {
  escalation: Escalation;
  to: string;
  closing: Closing;
}

/** What may be said while closing: why, and what the identity is. */
export interface Closing {
  reason?: string;
  outcome?: Outcome;
  kind?: string;
  /** The cycle by which it was decided. */
  cycleId?: number;
  /** Others of the identity that are closed along with it. */
  others?: Escalation[];
}

export interface Act {
  key: string;
  label: string;
  to: Status;
  /** In which states it can be done. */
  from: string[];
}

export const CLOSE: Act = { key: "c", label: "Close", to: "CLOSED", from: ["OPEN", "ACKNOWLEDGED"] };

export const ACTS: Act[] = [
  { key: "a", label: "Acknowledge", to: "ACKNOWLEDGED", from: ["OPEN"] },
  CLOSE,
  { key: "o", label: "Unacknowledge", to: "OPEN", from: ["ACKNOWLEDGED"] },
  { key: "o", label: "Reopen", to: "OPEN", from: ["CLOSED"] },
];
export const UNDO_KEY = "z";

const KEY = ["escalation moves"];
const LISTS = "/api/escalations";
/** For how long a list may be behind a move. */
const BEHIND_MAX_MS = 5_000;
/** What else changes with a label. */
const LABELLED = ["/api/identities", "/api/labels"];

/** Moves an escalation to another state; says whether the server has. Outlives the page, for what is undone later. */
export async function move(escalation: Escalation, to: string, closing: Closing = {}): Promise<boolean> {
  const moving = queries.getMutationCache().build<Escalation, unknown, Move, unknown>(queries, {
    mutationKey: KEY,
    // What is done to one escalation arrives in the order in which it was done.
    scope: { id: `escalation ${escalation.id}` },
    mutationFn: async ({ escalation: { id }, to, closing: { others: _, ...said } }) => {
      const { data, error } = await api.PATCH("/api/escalations/{id}", { params: { path: { id } }, body: { status: to, ...said } });
      if (!data) throw error;
      return data;
    },
    // The move is on its way until the lists show it as well.
    onSettled: async (done) => {
      await refresh(LISTS, ...(closing.outcome ? LABELLED : []));
      if (done) await untilShown(done);
    },
  });
  // Whoever moves has been told of a refusal already.
  return moving.execute({ escalation, to, closing }).then(() => true, () => false);
}

/** Waits until no list on the page shows an escalation as it was, but not for ever: somebody else may have moved it back. */
async function untilShown({ id, status }: Escalation): Promise<void> {
  const cache = queries.getQueryCache();
  const isAsItWas = (page: unknown) => (page as Partial<EscalationPage> | undefined)?.content?.some((row) => row.id === id && row.status !== status);
  const isBehind = () => cache.findAll({ type: "active", predicate: ({ queryKey: [, path] }) => path === LISTS }).some(({ state }) => isAsItWas(state.data));
  if (!isBehind()) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      stop();
      clearTimeout(patience);
      resolve();
    };
    // An answer that was asked for earlier may still come, and that ends nothing.
    const stop = cache.subscribe(() => !isBehind() && end());
    const patience = setTimeout(end, BEHIND_MAX_MS);
  });
}

/** Closes others of an identity, for the same reason. */
export async function closeOthers({ others = [], reason }: Closing): Promise<void> {
  for (const other of others) await move(other, "CLOSED", reason === undefined ? {} : { reason });
}

/** Takes a move back, with the label that was given by it. */
export async function takeBack(escalation: Escalation, to: Status, { outcome, others = [] }: Closing): Promise<void> {
  for (const other of others) await move({ ...other, status: "CLOSED" }, other.status);
  if (outcome) await reopenOthers(escalation).catch(tellError);
  // First of all: a rule opens another one where none is open.
  const isBack = await move({ ...escalation, status: to }, escalation.status);
  if (isBack && outcome) await withdraw(escalation.identity.id, outcome).catch(tellError);
}

/** Has the others of an identity as they were that its label has closed: a rule opens another one where none is open. */
async function reopenOthers({ id, identity }: Escalation): Promise<void> {
  const { data: now } = await api.GET("/api/escalations/{id}", { params: { path: { id } } });
  const { data: page } = await api.GET("/api/escalations", { params: { query: { identity: identity.id, status: "CLOSED", pageSize: 100 } } });
  const others = page?.content.filter((one) => one.id !== id && one.closedAt === now?.closedAt && one.closedBy === now?.closedBy) ?? [];
  for (const other of others) await move({ ...other, status: "CLOSED" }, other.acknowledgedAt ? "ACKNOWLEDGED" : "OPEN");
}

/** Withdraws the newest label of this outcome that whoever is signed in has given an identity. */
async function withdraw(id: string, outcome: Outcome): Promise<void> {
  const user = await session();
  const { data, error } = await api.GET("/api/identities/{id}/labels", { params: { path: { id } } });
  if (!data) throw error;
  const own = data.filter((label) => label.author === user?.email && label.outcome === outcome && !label.withdrawnAt);
  const last = own.sort((one, other) => Date.parse(other.createdAt) - Date.parse(one.createdAt))[0];
  if (!last) return;
  const withdrawn = await api.POST("/api/labels/{id}/actions/withdraw", { params: { path: { id: last.id } } });
  if (withdrawn.error) throw withdrawn.error;
  await refresh("/api/escalations", ...LABELLED);
}

/** Where escalations are moving to, by their ids. */
export type Moves = Map<number, string>;

/** Of this moment. */
export function useMoves(): Moves {
  const moves = useMutationState({ filters: { mutationKey: KEY, status: "pending" }, select: ({ state }) => state.variables as Move });
  return useMemo(() => new Map(moves.map(({ escalation, to }) => [escalation.id, to])), [moves]);
}

export function moved(escalation: Escalation, moves: Moves): Escalation {
  return { ...escalation, status: moves.get(escalation.id) ?? escalation.status };
}

/** The last move, if it left the queue and was not undone: its key undoes it also when the way back is no longer shown. */
let last: { notification: string; undo: () => void } | undefined;

export function undo(): void {
  if (last) last.undo();
  else tell("Nothing to undo.");
}

/** What was moved back into the queue by hand has nothing to undo. */
export function forgetMoved(): void {
  if (last) notifications.hide(last.notification);
  last = undefined;
}

/** Says that an escalation was acknowledged or closed, with a way back; one at a time, however many there are one after
 * the other. Returns what takes it back. */
export function tellMoved({ identity, escalationRule }: Escalation, to: Status, { outcome }: Closing, undo: () => void): () => void {
  const done = [word(to), ...(outcome ? [outcomeWords(outcome).toLowerCase()] : [])].join(", ");
  return tellDone(`${done}: ${identity.label} · ${escalationRule.label}`, undo);
}

/** Says what was done, with a way back by a button and by its key. */
export function tellDone(message: string, undo: () => void): () => void {
  forgetMoved();
  const notification = `done ${Date.now()}`;
  const untell = () => {
    if (last?.notification === notification) forgetMoved();
  };
  const back = () => {
    untell();
    undo();
  };
  last = { notification, undo: back };
  notifications.show({ id: notification, message: <Done message={message} undo={back} />, autoClose: OFFER_MS });
  return untell;
}

function Done({ message, undo }: { message: string; undo: () => void }) {
  return (
    <Group justify="space-between" gap="sm" wrap="nowrap">
      <Text fz="sm" className="break" lineClamp={2}>{message}</Text>
      <Button size="xs" variant="default" flex="none" rightSection={<Kbd size="xs">{UNDO_KEY}</Kbd>} onClick={undo}>Undo</Button>
    </Group>
  );
}

// Whether the server can be reached: when something fails that should not, it is asked, and again until it answers.

import { useSyncExternalStore } from "react";

/** How often a server that is away is asked. */
const LOOK_MS = 2_000;

let lostAt: number | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let asking: Promise<boolean> | undefined;
const listeners = new Set<() => void>();
const whenBack = new Set<() => void>();

function become(next: number | undefined): void {
  if (lostAt === next) return;
  lostAt = next;
  for (const listener of listeners) listener();
}

/** Asks the server whether it is there; whoever asks meanwhile gets the same answer. */
export function isThere(): Promise<boolean> {
  asking ??= fetch("/healthz", { cache: "no-store" }).then((answer) => answer.ok, () => false).then((found) => {
    asking = undefined;
    settle(found);
    return found;
  });
  return asking;
}

function settle(found: boolean): void {
  clearTimeout(timer);
  const wasLost = lostAt !== undefined;
  become(found ? undefined : (lostAt ?? Date.now()));
  if (!found) timer = setTimeout(() => void isThere(), LOOK_MS);
  else if (wasLost) for (const act of whenBack) act();
}

/** Something did not come from the server: it may be away. */
export function doubt(): void {
  if (lostAt === undefined) void isThere();
}

/** Has something done whenever the server is there again; gives what ends that. */
export function onBack(act: () => void): () => void {
  whenBack.add(act);
  return () => whenBack.delete(act);
}

/** Since when the server cannot be reached, in milliseconds since 1970; undefined while it can. */
export function useLostSince(): number | undefined {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, () => lostAt);
}

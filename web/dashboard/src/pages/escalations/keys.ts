// The keys of the queue.

import { useHotkeys } from "@mantine/hooks";
import { ASSIGN_KEY, UNASSIGN_KEY } from "./Assignee";
import { NOTE_KEY, writeNote } from "./History";
import { ME } from "./escalations";
import { ACTS, undo, UNDO_KEY, type Act } from "./moves";

export const NEXT_KEY = "n";

interface Keys {
  /** Whether nothing of the queue's own lies over it. */
  isFree: boolean;
  step: (by: 1 | -1) => void;
  act: (act: Act) => void;
  open: () => void;
  assign: (to: string | null) => void;
  takeNext: () => void;
}

export function useQueueKeys({ isFree, step, act, open, assign, takeNext }: Keys): void {
  const keys: [string, () => void][] = [["j", () => step(1)], ["k", () => step(-1)], [UNDO_KEY, undo], [NEXT_KEY, takeNext], [NOTE_KEY, writeNote], [ASSIGN_KEY, () => assign(ME)], [UNASSIGN_KEY, () => assign(null)], ...ACTS.map((one): [string, () => void] => [one.key, () => act(one)])];
  useHotkeys([
    ...keys.map(([key, press]): [string, (event: KeyboardEvent) => void] => [key, (event) => isFree && isOfQueue(event) && press()]),
    // Links and buttons have a use for Enter of their own.
    ["Enter", (event) => isFree && isOfQueue(event) && !within(event, "a, button") && open(), { preventDefault: false }],
  ]);
}

/** Whether nothing lies over the queue, such as a dialog. */
function isOfQueue(event: KeyboardEvent): boolean {
  return !within(event, "[role=dialog], [role=menu]");
}

function within({ target }: KeyboardEvent, selector: string): boolean {
  return target instanceof Element && target.closest(selector) !== null;
}

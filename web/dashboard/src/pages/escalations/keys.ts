// The keys of the queue.

import { useHotkeys } from "@mantine/hooks";
import { isOfPage } from "../../parts/keys";
import { ASSIGN_KEY, UNASSIGN_KEY } from "./Assignee";
import { NOTE_KEY, writeNote } from "./History";
import { ME } from "./escalations";
import { ACTS, undo, UNDO_KEY, type Act } from "./moves";
import { SNOOZE_KEY } from "./Snooze";

export const NEXT_KEY = "n";
export const MARK_KEY = "x";

interface Keys {
  /** Whether nothing of the queue's own lies over it. */
  isFree: boolean;
  step: (by: 1 | -1) => void;
  act: (act: Act) => void;
  open: () => void;
  assign: (to: string | null) => void;
  takeNext: () => void;
  snooze: () => void;
  mark: () => void;
}

export function useQueueKeys({ isFree, step, act, open, assign, takeNext, snooze, mark }: Keys): void {
  const keys: [string, () => void][] = [["j", () => step(1)], ["k", () => step(-1)], [UNDO_KEY, undo], [NEXT_KEY, takeNext], [NOTE_KEY, writeNote], [SNOOZE_KEY, snooze], [MARK_KEY, mark], [ASSIGN_KEY, () => assign(ME)], [UNASSIGN_KEY, () => assign(null)], ...ACTS.map((one): [string, () => void] => [one.key, () => act(one)])];
  useHotkeys([
    ...keys.map(([key, press]): [string, () => unknown] => [key, () => isFree && isOfPage() && press()]),
    // Links and buttons have a use for Enter of their own.
    ["Enter", (event) => isFree && isOfPage() && !within(event, "a, button") && open(), { preventDefault: false }],
  ]);
}

function within({ target }: KeyboardEvent, selector: string): boolean {
  return target instanceof Element && target.closest(selector) !== null;
}

// The keys of the queue.

import { useHotkeys } from "@mantine/hooks";
import { isOfPage } from "../../parts/keys";
import { ACTS, undo, UNDO_KEY, type Act } from "./moves";

interface Keys {
  /** Whether nothing of the queue's own lies over it. */
  isFree: boolean;
  step: (by: 1 | -1) => void;
  act: (act: Act) => void;
  open: () => void;
}

export function useQueueKeys({ isFree, step, act, open }: Keys): void {
  const keys: [string, () => void][] = [["j", () => step(1)], ["k", () => step(-1)], [UNDO_KEY, undo], ...ACTS.map((one): [string, () => void] => [one.key, () => act(one)])];
  useHotkeys([
    ...keys.map(([key, press]): [string, () => unknown] => [key, () => isFree && isOfPage() && press()]),
    // Links and buttons have a use for Enter of their own.
    ["Enter", (event) => isFree && isOfPage() && !within(event, "a, button") && open(), { preventDefault: false }],
  ]);
}

function within({ target }: KeyboardEvent, selector: string): boolean {
  return target instanceof Element && target.closest(selector) !== null;
}

// What a counter counts, and what is missing of it in a form.

import type { Schemas } from "../../api";
import { isWhole, wrongConditions, type Condition } from "../rules/condition";
import { DAY, MINUTE } from "../rules/SecondsInput";

export type Definition = Schemas["CounterPreviewBody"] & { conditions: Condition[] };

/** The shortest and the longest window, as the server has them. */
export const WINDOW_MIN_SECONDS = MINUTE;
export const WINDOW_MAX_SECONDS = 30 * DAY;

/** Whether it is of the numbers of a fact. */
export function isOfNumbers(counts: string): boolean {
  return ["SUM", "MIN", "MAX"].includes(counts);
}

/** What is to be tried of a counter that is there. */
export function definitionOf({ function: counts, of, per, conditions, windowSeconds }: Schemas["CounterBody"]): Definition {
  return { function: counts, of: of ?? null, per, conditions, windowSeconds };
}

function isInside(windowSeconds: number): boolean {
  return windowSeconds >= WINDOW_MIN_SECONDS && windowSeconds <= WINDOW_MAX_SECONDS;
}

/** Whether it says all that is needed to count. */
export function isDefined({ function: counts, of, per, conditions, windowSeconds }: Definition): boolean {
  return (counts === "COUNT" || (of ?? "").trim() !== "") && per.trim() !== "" && isInside(windowSeconds) && conditions.every(isWhole);
}

/** What is wrong with it, by field, as far as that is known here. */
export function wrongDefinition({ function: counts, of, per, conditions, windowSeconds }: Definition): Record<string, string> {
  const isOfNothing = counts !== "COUNT" && (of ?? "").trim() === "";
  return {
    ...(isOfNothing && { of: `Enter a fact, such as ${isOfNumbers(counts) ? "event.data.amount" : "identity.id"}.` }),
    ...(per.trim() === "" && { per: "Enter a fact, such as device." }),
    // The field says it in its own unit.
    ...(!isInside(windowSeconds) && { windowSeconds: "Enter a length." }),
    ...wrongConditions(conditions),
  };
}

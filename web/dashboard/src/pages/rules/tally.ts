// How often rules, badges and analyzers were right, by what people have labelled.

import { $api, type Schemas } from "../../api";
import { counted } from "../../parts/counts";
import type { BadgeRule, EscalationRule } from "./rules";

export type Tally = Schemas["TallyBody"];

/** It is much to count, and changes with each label. */
const FRESH_MS = 30_000;

export function useAccuracy() {
  return $api.useQuery("get", "/api/labels/accuracy", undefined, { staleTime: FRESH_MS });
}

const NOBODY: Tally = { tookHold: 0, right: 0, wrong: 0, unlabeled: 0, low: null, high: null };

/** Of an escalation rule; undefined until it is known. */
export function useRuleTally({ id }: EscalationRule): Tally | undefined {
  const { data } = useAccuracy();
  return data && (data.rules.find((one) => one.id === id) ?? NOBODY);
}

/** Of a badge. One that speaks neither for nor against an identity is never right or wrong. */
export function useBadgeTally({ slug, type }: BadgeRule): Tally | undefined {
  const { data } = useAccuracy();
  if (!data || type === "NEUTRAL") return undefined;
  return data.badges.find((one) => one.slug === slug) ?? NOBODY;
}

/** "5 right, 1 wrong". */
export function judged({ right, wrong }: Tally): string {
  return `${right.toLocaleString("en")} right, ${wrong.toLocaleString("en")} wrong`;
}

/** "34 not labeled". */
export function unlabeled({ unlabeled }: Tally): string {
  return `${unlabeled.toLocaleString("en")} not labeled`;
}

/** "43–97%"; undefined where nobody is labelled. */
export function range({ low, high }: Tally): string | undefined {
  if (typeof low !== "number" || typeof high !== "number") return undefined;
  return `${Math.round(low * 100)}–${Math.round(high * 100)}%`;
}

/** What the numbers mean, in a sentence or two; `nobody` where they are of no identity. */
export function meaning(tally: Tally, nobody: string): string {
  if (tally.tookHold === 0) return nobody;
  const between = range(tally);
  if (!between) return "Nobody whom it concerned has been labeled. Label some of them, good or bad, and this says how often it is right.";
  const { right, wrong } = tally;
  return `It was right about ${right.toLocaleString("en")} of ${counted(right + wrong, "labeled identity", "labeled identities")}. With 95% confidence it is right in ${between} of cases: the more labels, the narrower.`;
}

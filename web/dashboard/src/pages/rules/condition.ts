// What a rule asks: its conditions, as the API has them and in words.

import type { Schemas } from "../../api";
import { CATEGORIES, word } from "../../parts/score";
import { span } from "../../parts/Time";

export type Condition = Schemas["ConditionBody"];
/** What a condition is about. */
type Subject = "score" | "age" | "badge" | "agent";

interface Kind {
  type: string;
  label: string;
  subject: Subject;
  /** Whether badge rules may not have it. */
  isOfEscalations?: boolean;
}

export const KINDS: Kind[] = [
  { type: "SCORE_LT", label: "Score below", subject: "score" },
  { type: "SCORE_LTE", label: "Score at most", subject: "score" },
  { type: "SCORE_GT", label: "Score above", subject: "score" },
  { type: "SCORE_GTE", label: "Score at least", subject: "score" },
  { type: "IDENTITY_AGE_GT", label: "First seen more than", subject: "age" },
  { type: "IDENTITY_AGE_LT", label: "First seen less than", subject: "age", isOfEscalations: true },
  { type: "AGENT_IS", label: "AI agent is", subject: "agent" },
  { type: "BADGE_EXISTS", label: "Has badge", subject: "badge", isOfEscalations: true },
  { type: "BADGE_NOT_EXISTS", label: "Does not have badge", subject: "badge", isOfEscalations: true },
];

/** What a score condition can be about: one category, or whichever is lowest or highest. */
export const WHICH: { value: string; label: string }[] = [
  ...CATEGORIES.map((category) => ({ value: category, label: word(category) })),
  { value: "ANY", label: "Any of the four" },
];

/** Stands for whichever agent. */
export const ANY_AGENT = "ANY";
export const CONDITIONS_MAX = 20;
const HOUR_SECONDS = 3_600;

export function subjectOf(type: string): Subject | undefined {
  return KINDS.find((kind) => kind.type === type)?.subject;
}

/** `condition` as one of another type: what both have stays. */
export function turned(condition: Condition, type: string): Condition {
  switch (subjectOf(type)) {
    case "score":
      return { type, category: condition.category ?? "HUMANITY", threshold: condition.threshold ?? 30 };
    case "age":
      return { type, seconds: condition.seconds ?? HOUR_SECONDS };
    case "agent":
      return { type, agent: condition.agent ?? ANY_AGENT };
    default:
      return { type, badge: condition.badge ?? "" };
  }
}

/** Whether it says all that it has to. */
export function isWhole(condition: Condition): boolean {
  if (subjectOf(condition.type) === "score") return typeof condition.threshold === "number" && isInRange(condition);
  return condition.badge !== "" && condition.agent !== "";
}

/** Whether its threshold is one that a score can have; none is none yet. */
export function isInRange({ threshold }: Condition): boolean {
  return typeof threshold !== "number" || (threshold >= 0 && threshold <= 100);
}

/** A condition in words; `badgeName` says what people call the badge of a slug. */
export function inWords({ type, category, threshold, seconds, badge, agent, verified }: Condition, badgeName: (slug: string) => string): string {
  const label = KINDS.find((kind) => kind.type === type)?.label ?? type;
  switch (subjectOf(type)) {
    case "score":
      return `${category === "ANY" ? "any score" : word(category ?? "")} ${label.replace("Score ", "")} ${threshold}`;
    case "age":
      return `${label.toLowerCase()} ${seconds ? span(seconds) : "0\u00A0s"} ago`;
    case "agent": {
      const which = agent === ANY_AGENT ? "any" : agent;
      return `AI agent is ${which}${verified == null ? "" : verified ? ", verified" : ", not verified"}`;
    }
    default:
      return `${label.toLowerCase()} ${badgeName(badge ?? "")}`;
  }
}

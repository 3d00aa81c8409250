// What a rule asks: its conditions, as the API has them and in words.

import type { Schemas } from "../../api";
import { CATEGORIES, word } from "../../parts/score";
import { span } from "../../parts/Time";

export type Condition = Schemas["ConditionBody"];
/** What a condition is about. */
export type Subject = "score" | "age" | "badge" | "agent" | "event" | "value" | "number" | "values" | "text" | "pattern" | "list" | "counter" | "group" | "not";

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
  { type: "EVENT_IS", label: "Event is", subject: "event" },
  { type: "FACT_EQ", label: "Fact is", subject: "value" },
  { type: "FACT_NE", label: "Fact is not", subject: "value" },
  { type: "FACT_IN", label: "Fact is one of", subject: "values" },
  { type: "FACT_GT", label: "Fact above", subject: "number" },
  { type: "FACT_LT", label: "Fact below", subject: "number" },
  { type: "FACT_CONTAINS", label: "Fact contains", subject: "text" },
  { type: "FACT_MATCHES", label: "Fact matches", subject: "pattern" },
  { type: "IN_LIST", label: "Fact on list", subject: "list" },
  { type: "NOT_IN_LIST", label: "Fact not on list", subject: "list" },
  { type: "COUNTER_GT", label: "Counter above", subject: "counter" },
  { type: "COUNTER_LT", label: "Counter below", subject: "counter" },
  { type: "ALL", label: "All of", subject: "group" },
  { type: "ANY", label: "Any of", subject: "group" },
  { type: "NOT", label: "Not", subject: "not" },
];

/** What a score condition can be about: one category, or whichever is lowest or highest. */
export const WHICH: { value: string; label: string }[] = [
  ...CATEGORIES.map((category) => ({ value: category, label: word(category) })),
  { value: "ANY", label: "Any of the four" },
];

/** Stands for whichever agent. */
export const ANY_AGENT = "ANY";
export const CONDITIONS_MAX = 20;
/** How deep conditions may stand inside one another. */
export const DEPTH_MAX = 4;
const HOUR_SECONDS = 3_600;

export function subjectOf(type: string): Subject | undefined {
  return KINDS.find((kind) => kind.type === type)?.subject;
}

/** A condition to begin with, of these kinds. */
export function first(kinds: Kind[] = KINDS): Condition {
  return turned({ type: "" }, kinds[0]?.type ?? "SCORE_LT");
}

/** `condition` as one of another type: what both have stays. What is to stand in it begins as the first of `kinds`. */
export function turned(condition: Condition, type: string, kinds: Kind[] = KINDS): Condition {
  const { fact = "", value, conditions, condition: only } = condition;
  switch (subjectOf(type)) {
    case "score":
      return { type, category: condition.category ?? "HUMANITY", threshold: condition.threshold ?? 30 };
    case "age":
      return { type, seconds: condition.seconds ?? HOUR_SECONDS };
    case "agent":
      return { type, agent: condition.agent ?? ANY_AGENT };
    case "event":
      return { type, events: condition.events ?? [] };
    case "value":
    case "text":
      return { type, fact, value: value ?? "" };
    case "number":
      return { type, fact, value: numberOf(value) };
    case "values":
      return { type, fact, values: condition.values ?? [] };
    case "pattern":
      return { type, fact, pattern: condition.pattern ?? "" };
    case "list":
      return { type, fact, list: condition.list ?? "" };
    case "counter":
      return { type, counter: condition.counter ?? "", value: numberOf(value) };
    case "group":
      return { type, conditions: conditions ?? [only ?? first(kinds)] };
    case "not":
      return { type, condition: only ?? conditions?.[0] ?? first(kinds) };
    default:
      return { type, badge: condition.badge ?? "" };
  }
}

/** The number that is or is written there; else none. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** Those that stand in it. */
export function innerOf({ conditions, condition }: Condition): Condition[] {
  return conditions ?? (condition ? [condition] : []);
}

/** Whether it, or one that stands in it, uses the counter of this slug. */
export function usesCounter(condition: Condition, slug: string): boolean {
  return condition.counter === slug || innerOf(condition).some((inner) => usesCounter(inner, slug));
}

/** Whether it says all that it has to. */
export function isWhole(condition: Condition): boolean {
  switch (subjectOf(condition.type)) {
    case "group":
    case "not":
      return innerOf(condition).length > 0 && innerOf(condition).every(isWhole);
    default:
      return Object.keys(wrongParameters(condition)).length === 0;
  }
}

/** What to do about each of its parameters that is missing or cannot be. */
function wrongParameters(condition: Condition): Record<string, string> {
  const { threshold, seconds, badge, agent, events = [], fact, value, values = [], pattern, counter, list } = condition;
  const unless = (isThere: boolean, parameter: string, message: string) => (isThere ? {} : { [parameter]: message });
  const aFact = (example = "device") => unless(isText(fact), "fact", `Enter a fact, such as ${example}.`);
  const aNumber = () => unless(numberOf(value) !== undefined, "value", "Enter a number.");
  switch (subjectOf(condition.type)) {
    case "score":
      return typeof threshold === "number" ? unless(isInRange(condition), "threshold", "Must be from 0 to 100.") : { threshold: "Enter a number from 0 to 100." };
    case "age":
      return unless(typeof seconds === "number", "seconds", "Enter a length of time.");
    case "agent":
      return unless(isText(agent), "agent", "Enter an agent, such as ChatGPT-User, or ANY.");
    case "event":
      return unless((events ?? []).length > 0, "events", "Enter an event type, such as PURCHASE, and press Enter.");
    case "value":
      return { ...aFact(), ...unless(isText(value), "value", "Enter a value.") };
    case "text":
      return { ...aFact(), ...unless(isText(value), "value", "Enter a part of the value.") };
    case "number":
      return { ...aFact("event.data.amount"), ...aNumber() };
    case "values":
      return { ...aFact(), ...unless((values ?? []).length > 0, "values", "Enter a value, and press Enter.") };
    case "pattern":
      return { ...aFact(), ...unless(isText(pattern), "pattern", "Enter a regular expression, such as ^test-.") };
    case "list":
      return { ...aFact(), ...unless(isText(list), "list", "Enter a list.") };
    case "counter":
      return { ...unless(isText(counter), "counter", "Enter a counter."), ...aNumber() };
    case "badge":
      return unless(isText(badge), "badge", "Enter a badge.");
    default:
      return {};
  }
}

function isText(value: unknown): boolean {
  return value != null && String(value).trim() !== "";
}

/** What is wrong with conditions, by the paths by which the API names their parameters. */
export function wrongConditions(conditions: Condition[], place = "conditions"): Record<string, string> {
  return Object.fromEntries(conditions.flatMap((condition, n) => Object.entries(wrongCondition(condition, `${place}[${n}]`))));
}

function wrongCondition(condition: Condition, place: string): Record<string, string> {
  const { conditions, condition: only } = condition;
  if (conditions) return wrongConditions(conditions, `${place}.conditions`);
  if (only) return wrongCondition(only, `${place}.condition`);
  return Object.fromEntries(Object.entries(wrongParameters(condition)).map(([parameter, message]) => [`${place}.${parameter}`, message]));
}

/** Whether its threshold is one that a score can have; none is none yet. */
export function isInRange({ threshold }: Condition): boolean {
  return typeof threshold !== "number" || (threshold >= 0 && threshold <= 100);
}

/** What people call what conditions name by a slug or a path. */
export interface Names {
  badge: (slug: string) => string;
  fact: (name: string) => string;
  counter: (slug: string) => string;
  list: (slug: string) => string;
}

/** A condition in words. */
export function inWords(condition: Condition, names: Names): string {
  const { type, category, threshold, seconds, badge, agent, verified, value } = condition;
  const label = KINDS.find((kind) => kind.type === type)?.label ?? type;
  const fact = () => names.fact(condition.fact ?? "");
  const compared = label.replace(/^\w+ /, "").replace("above", "is above").replace("below", "is below");
  const joined = (word: string) => {
    const all = innerOf(condition).map((inner) => inWords(inner, names));
    return all.length > 1 ? `(${all.join(` ${word} `)})` : (all[0] ?? "");
  };
  switch (subjectOf(type)) {
    case "score":
      return `${category === "ANY" ? "any score" : word(category ?? "")} ${label.replace("Score ", "")} ${threshold}`;
    case "age":
      return `${label.toLowerCase()} ${seconds ? span(seconds) : "0\u00A0s"} ago`;
    case "agent": {
      const which = agent === ANY_AGENT ? "any" : agent;
      return `AI agent is ${which}${verified == null ? "" : verified ? ", verified" : ", not verified"}`;
    }
    case "event":
      return `the event is ${(condition.events ?? []).join(" or ")}`;
    case "value":
    case "text":
    case "number":
      return `${fact()} ${compared} ${typeof value === "number" ? value : `“${String(value ?? "")}”`}`;
    case "values":
      return `${fact()} ${compared} ${(condition.values ?? []).map((one) => `“${String(one)}”`).join(", ")}`;
    case "pattern":
      return `${fact()} ${compared} “${condition.pattern ?? ""}”`;
    case "list":
      return `${fact()} is ${compared} “${names.list(condition.list ?? "")}”`;
    case "counter":
      return `${names.counter(condition.counter ?? "")} ${compared} ${numberOf(value) ?? "…"}`;
    case "group":
      return joined(type === "ALL" ? "and" : "or");
    case "not":
      return `not ${joined("and")}`;
    default:
      return `${label.toLowerCase()} ${names.badge(badge ?? "")}`;
  }
}

/** The types of events at which conditions are asked; none where they are asked of everybody at any time. */
export function asksAt(conditions: Condition[]): string[] {
  return conditions.find(({ type }) => type === "EVENT_IS")?.events ?? [];
}

/** Whom a change of a rule reaches. */
export function reach(conditions: Condition[]): string {
  const events = asksAt(conditions).join(" or ");
  if (!events) return "All identities are re-evaluated in the background.";
  return `What it says of somebody stays unless their newest ${events} no longer meets the conditions; everybody else is evaluated at the next one.`;
}

// How a score comes about, to be redone by hand; crates/core/src/score/mod.rs says the same at length.

import type { Schemas } from "../../api";

export type Observation = Schemas["ObservationBody"];

/** Where every category starts. */
const PRIOR = 0.7;
/** Values beyond these count as these. */
const VALUE_MIN = 0.02;
const VALUE_MAX = 0.98;

function logit(value: number): number {
  const within = Math.min(Math.max(value, VALUE_MIN), VALUE_MAX);
  return Math.log(within / (1 - within));
}

/** 0.847: the log-odds of 70 of 100. */
export const START = logit(PRIOR);

/** By how much an observation moves the log-odds of its category: down below 0, up above. */
export function push({ weight, confidence, value }: Observation): number {
  return weight * confidence * logit(value);
}

/** Whether an observation is shown and does not count. */
export function isShadowed({ weight }: Observation): boolean {
  return weight === 0;
}

/** By how much all of these move their category together. */
export function pushOf(observations: Observation[]): number {
  return observations.reduce((sum, observation) => sum + push(observation), 0);
}

/** The score at these log-odds, 0 to 100. */
export function scoreAt(logOdds: number): number {
  return Math.round(100 / (1 + Math.exp(-logOdds)));
}

/** The strongest first; those that do not count come last. */
export function byStrength(observations: Observation[]): Observation[] {
  const strength = (one: Observation) => (isShadowed(one) ? -1 : Math.abs(push(one)));
  return [...observations].sort((one, other) => strength(other) - strength(one));
}

/** From this much on, in log-odds, an observation alone moves a score from 70 to below 25, or to below 50. */
const STRONG = 2;
const MODERATE = 0.85;

/** How strong an observation is, in a word. */
export function strengthOf(by: number): string {
  const much = Math.abs(by);
  return much >= STRONG ? "strong" : much >= MODERATE ? "moderate" : "weak";
}

/** "+0.85", "−2.31", "0.00". */
export function signed(number: number): string {
  const digits = Math.abs(number).toFixed(2);
  if (Number(digits) === 0) return digits;
  return number < 0 ? `−${digits}` : `+${digits}`;
}

/** "−2.31": a sum stands without "+". */
export function plain(number: number): string {
  return signed(number).replace("+", "");
}

// The four categories, and what a score means at a glance.

import type { Schemas } from "../api";

export const CATEGORIES = ["HUMANITY", "AUTHENTICITY", "UNIQUENESS", "BEHAVIOR"] as const;
export type Category = (typeof CATEGORIES)[number];

/** What each asks. */
export const QUESTIONS: Record<Category, string> = {
  HUMANITY: "A person, or a script?",
  AUTHENTICITY: "Real details, or fake?",
  UNIQUENESS: "One account, or one of many?",
  BEHAVIOR: "Ordinary use, or abuse?",
};

/** Where each colour begins: suspicious, doubtful, middling, fine. A score without evidence is 70. */
const BANDS = [30, 50, 70];

/** The colour of a score, 0 to 3. */
export function band(score: number): number {
  return BANDS.filter((start) => score >= start).length;
}

/** "HUMANITY" as a word: "Humanity"; "SHARED_IP" as two: "Shared IP". */
export function word(name: string): string {
  const text = name.toLowerCase().replaceAll("_", " ").replaceAll(/\bemail\b/g, "e-mail").replaceAll(/\b(ip|mfa|api|url|dns|vpn|mcp)\b/g, (short) => short.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "Auth.", where there is no room for more. */
export function shortWord(category: Category): string {
  return `${word(category).slice(0, 4)}.`;
}

/** The colour of a category in charts. */
export function colour(category: Category): string {
  return `var(--${category.toLowerCase()})`;
}

type Scored = Pick<Schemas["IdentityBody"], "humanityScore" | "authenticityScore" | "uniquenessScore" | "behaviorScore">;

/** The score of an identity, or of one of its past cycles, in a category. */
export function scoreOf(scored: Scored, category: Category): number | null {
  const key = `${category.toLowerCase()}Score` as keyof Scored;
  return scored[key] ?? null;
}

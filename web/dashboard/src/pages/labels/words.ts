// What people say of an identity when they label it, in words.

import type { Schemas } from "../../api";

export type Label = Schemas["LabelBody"];
export type Outcome = "GOOD" | "BAD";

/** The badge of who is labelled bad: it goes with the label alone. */
export const CONFIRMED_BAD = "confirmed-bad";

/** In which way somebody is bad; the keys are those of the closing dialog. */
export const KINDS: { value: string; label: string; key: string }[] = [
  { value: "BOT", label: "Bot", key: "1" },
  { value: "FAKE", label: "Fake", key: "2" },
  { value: "DUPLICATE", label: "Duplicate", key: "3" },
  { value: "ABUSE", label: "Abuse", key: "4" },
  { value: "TAKEOVER", label: "Takeover", key: "5" },
];

const SOURCES: Record<string, string> = {
  CHARGEBACK: "a chargeback", APPEAL: "an appeal", USER_REPORT: "a report of another user", IMPORT: "an imported decision",
};

/** "Labeled good". */
export function outcomeWords(outcome: string): string {
  return `Labeled ${outcome.toLowerCase()}`;
}

/** "Duplicate"; nothing where none was said. */
export function kindWords(kind: string | null | undefined): string | undefined {
  return kind ? (KINDS.find(({ value }) => value === kind)?.label ?? kind) : undefined;
}

/** From what it is known: "a chargeback"; nothing where a person decided, who is named anyway. */
export function sourceWords(source: string): string | undefined {
  return source === "ANALYST" ? undefined : (SOURCES[source] ?? source);
}

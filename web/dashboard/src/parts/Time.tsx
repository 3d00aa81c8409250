// Times: how long ago, and exactly when on a closer look.

import { Tooltip } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { formatted, isUtc, NO_BREAK } from "../app/preferences";

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });
/** How often "3 minutes ago" is looked at again. */
const TICK_MS = 10_000;

let now = Date.now();
const listeners = new Set<() => void>();
setInterval(() => {
  now = Date.now();
  for (const listener of listeners) listener();
}, TICK_MS);

function useNow(): number {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, () => now);
}

/** "3 min. ago", "in 30 sec.". */
export function ago(time: string | number, at: number): string {
  const seconds = (new Date(time).getTime() - at) / 1_000;
  // What has happened after the last look at the clock has happened now.
  if (Math.abs(seconds) < 5 || (seconds > 0 && seconds < TICK_MS / 1_000)) return "just now";
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  // What is to come is said to the nearest: an invitation of seven days expires "in 7 days".
  return relative.format(seconds > 0 ? Math.round(seconds / length) : Math.trunc(seconds / length), unit);
}

/** The same of what is yet to come: "in 30 sec.", "in a few seconds", "now". */
export function ahead(time: string | number, at: number): string {
  const text = ago(time, at);
  if (text !== "just now") return text;
  return new Date(time).getTime() > at ? "in a few seconds" : "now";
}

/** A time in the preferred zone, to the second. */
export function exactTime(time: string | number): string {
  const text = formatted(time, { dateStyle: "medium", timeStyle: "medium" });
  return isUtc() ? `${text}${NO_BREAK}UTC` : text;
}

interface Props {
  at: string | null | undefined;
  empty?: string;
  /** Whether it is yet to come. */
  isAhead?: boolean;
}

export function Time({ at, empty = "–", isAhead = false }: Props) {
  const now = useNow();
  if (!at) return <span>{empty}</span>;
  return (
    <Tooltip label={exactTime(at)}>
      <time dateTime={at} style={{ whiteSpace: "nowrap" }}>{(isAhead ? ahead : ago)(at, now)}</time>
    </Tooltip>
  );
}

/** Exactly when, and how long ago: for what is looked at by itself. */
export function Moment({ at, isAhead = false }: Props) {
  return at ? <>{exactTime(at)} (<Time at={at} isAhead={isAhead} />)</> : <>–</>;
}

/** "1.2 s", "35 ms". */
export function millis(milliseconds: number): string {
  if (milliseconds < 1) return `under 1${NO_BREAK}ms`;
  return milliseconds >= 1_000 ? `${(milliseconds / 1_000).toFixed(1)}${NO_BREAK}s` : `${milliseconds}${NO_BREAK}ms`;
}

/** "5 min", "2 h", "40 s": how long something has lasted, by its largest unit. */
export function lasting(milliseconds: number): string {
  const seconds = Math.max(Math.trunc(milliseconds / 1_000), 0);
  const [length, unit] = ([[86_400, "d"], [3_600, "h"], [60, "min"]] as const).find(([length]) => seconds >= length) ?? [1, "s"];
  return `${Math.trunc(seconds / length)}${NO_BREAK}${unit}`;
}

/** "2 d", "3 h", "10 min", "30 s"; 0 is "at once". */
export function span(seconds: number): string {
  if (seconds === 0) return "at once";
  for (const [length, unit] of [[86_400, "d"], [3_600, "h"], [60, "min"]] as const) {
    if (seconds >= length && seconds % length === 0) return `${seconds / length}${NO_BREAK}${unit}`;
  }
  return `${seconds}${NO_BREAK}s`;
}

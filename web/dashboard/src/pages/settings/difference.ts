// What differs between how something was and how it is.

import { inWords, type Condition, type Names } from "../rules/condition";

export interface Difference {
  /** Where, such as "config.url"; of a list, what it is called. */
  path: string;
  before?: string;
  after?: string;
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

/** What is told of a value, by path. */
type Told = Map<string, string>;

/** The leaves of a value. What is in a list and has no parts of its own is one, and so is a condition. */
function leaves(value: unknown, path: string, into: Told, names?: Names): Told {
  if (typeof value !== "object" || value === null) return into.set(path, String(value));
  if (Array.isArray(value) && value.every(isPlain)) return into.set(path, value.length === 0 ? "none" : value.join(", "));
  for (const [name, inner] of Object.entries(value)) {
    if (Array.isArray(value)) entry(inner, `${path}[${name}]`, into, names);
    else leaves(inner, path === "" ? name : `${path}.${name}`, into, names);
  }
  return into;
}

function entry(value: unknown, path: string, into: Told, names?: Names): void {
  if (names && isCondition(value) && CONDITION.test(path)) return void into.set(path, inWords(value, names));
  const parts = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const list = listOf(parts);
  if (list) into.set(...list);
  else if (parts.length > 0 && parts.every(([, part]) => isPlain(part))) into.set(path, parts.map(([name, part]) => `${name} ${part}`).join(", "));
  else leaves(value, path, into, names);
}

const CONDITION = /(^|\.)conditions\[\d+\]$/;

function isCondition(value: unknown): value is Condition {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** "Banned devices" and "5 added", of what was done to a list: counts of nothing are left out. */
function listOf(parts: [string, unknown][]): [name: string, what: string] | undefined {
  const { list, name = list } = Object.fromEntries(parts);
  if (list === undefined) return undefined;
  const counts = parts.flatMap(([name, part]) => (COUNTS[name] && part ? [`${part} ${COUNTS[name]}`] : []));
  return [String(name), counts.join(", ") || "nothing"];
}

const COUNTS: Record<string, string> = { added: "added", changed: "changed", unchanged: "there before", removed: "removed", changedSince: "changed since" };

/** Where `before` and `after` differ, in the order of their fields, conditions in words; null is nothing at all. */
export function differences(before: unknown, after: unknown, names?: Names): Difference[] {
  const told = (value: unknown): Told => (value === null || value === undefined ? new Map() : leaves(value, "", new Map(), names));
  const [was, is] = [told(before), told(after)];
  const paths = [...new Set([...was.keys(), ...is.keys()])];
  return paths.flatMap((path) => {
    const [old, now] = [was.get(path), is.get(path)];
    // Of what is new or gone, only what it has.
    const isNothing = (before === null || before === undefined || after === null || after === undefined) && (old ?? now) === "null";
    return old === now || isNothing ? [] : [{ path, ...(old !== undefined && { before: old }), ...(now !== undefined && { after: now }) }];
  });
}

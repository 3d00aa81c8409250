// What differs between how something was and how it is.

export interface Difference {
  /** Where, such as "config.url". */
  path: string;
  before?: string;
  after?: string;
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

/** The leaves of a value by path. What is in a list and has no parts of its own is one, such as a rule's condition. */
function leaves(value: unknown, path: string, into: Map<string, string>): Map<string, string> {
  if (typeof value !== "object" || value === null) return into.set(path, String(value));
  if (Array.isArray(value) && value.every(isPlain)) return into.set(path, value.length === 0 ? "none" : value.join(", "));
  for (const [name, inner] of Object.entries(value)) {
    if (Array.isArray(value)) entry(inner, `${path}[${name}]`, into);
    else leaves(inner, path === "" ? name : `${path}.${name}`, into);
  }
  return into;
}

function entry(value: unknown, path: string, into: Map<string, string>): void {
  const parts = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (parts.length > 0 && parts.every(([, part]) => isPlain(part))) into.set(path, parts.map(([name, part]) => `${name} ${part}`).join(", "));
  else leaves(value, path, into);
}

/** Where `before` and `after` differ, in the order of their fields; null is nothing at all. */
export function differences(before: unknown, after: unknown): Difference[] {
  const was = before === null || before === undefined ? new Map<string, string>() : leaves(before, "", new Map());
  const is = after === null || after === undefined ? new Map<string, string>() : leaves(after, "", new Map());
  const paths = [...new Set([...was.keys(), ...is.keys()])];
  return paths.flatMap((path) => {
    const [old, now] = [was.get(path), is.get(path)];
    return old === now ? [] : [{ path, ...(old !== undefined && { before: old }), ...(now !== undefined && { after: now }) }];
  });
}

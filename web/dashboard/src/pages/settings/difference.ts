// What differs between how something was and how it is.

export interface Difference {
  /** Where, such as "config.url". */
  path: string;
  before?: string;
  after?: string;
}

/** The leaves of a value by path; lists of plain values are leaves, too. */
function leaves(value: unknown, path: string, into: Map<string, string>): Map<string, string> {
  const isPlainList = Array.isArray(value) && value.every((one) => typeof one !== "object" || one === null);
  if (typeof value !== "object" || value === null) return into.set(path, String(value));
  if (isPlainList) return into.set(path, value.length === 0 ? "none" : value.join(", "));
  for (const [name, inner] of Object.entries(value)) {
    const step = Array.isArray(value) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    leaves(inner, step, into);
  }
  return into;
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

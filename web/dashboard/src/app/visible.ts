// Characters that nobody sees: a name with one that changes the direction of writing reads as another name, and one of
// blanks reads as nothing. They are shown by their numbers, wherever they come from.

import type { Middleware } from "openapi-fetch";

/** Embeddings, overrides and isolates of the Unicode Bidirectional Algorithm (UAX 9). */
const TURNING = /[\u202A-\u202E\u2066-\u2069]/g;
/** Controls, what programs may ignore, and letters and notes that are blank. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}]/gu;
/** What an answer has of those, or of wide spaces, as JSON spells them. */
const SUSPECT = /[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}]|(?! )\p{Zs}|\\u00/u;

/** What the API is asked with, and bodies as they went over the wire, stay as they are. */
const KEPT = new Set(["id", "identityId", "targetIdentityId", "fingerprint", "session", "eventId", "requestBody", "responseBody", "requestHeaders"]);

const numbered = (character: string) => `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`;

/** Text in which nothing is turned round, and that says something: U+202E stands there as "[U+202E]". */
export function visible(text: string): string {
  const isBlank = text.replaceAll(UNSEEN, "").trim() === "";
  return text.replaceAll(isBlank ? /./gsu : TURNING, numbered);
}

/** The same of an id, which any character that nobody sees makes another. */
export function visibleId(id: string): string {
  return visible(id.replaceAll(UNSEEN, numbered));
}

function walk(value: unknown, key?: string): unknown {
  if (typeof value === "string") return key !== undefined && KEPT.has(key) ? value : visible(value);
  if (Array.isArray(value)) return value.map((one) => walk(one, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [visible(name), walk(one, name)]));
}

/** Makes what answers say visible. Nearly none has anything to be made visible, and is left alone. */
export const makeVisible: Middleware = {
  async onResponse({ response }) {
    if (!response.headers.get("Content-Type")?.includes("json")) return undefined;
    const text = await response.clone().text();
    if (!SUSPECT.test(text)) return undefined;
    const { status, statusText, headers } = response;
    const own = new Headers(headers);
    // It is as long as it was sent, and no longer compressed.
    own.delete("Content-Length");
    own.delete("Content-Encoding");
    return new Response(JSON.stringify(walk(JSON.parse(text))), { status, statusText, headers: own });
  },
};

// Characters that change the direction of writing: a name with one of them reads as another name. They are shown by
// their numbers, wherever they come from.

import type { Middleware } from "openapi-fetch";

/** Embeddings, overrides and isolates of the Unicode Bidirectional Algorithm (UAX 9). */
const TURNING = /[\u202A-\u202E\u2066-\u2069]/;
const ALL_TURNING = new RegExp(TURNING, "g");

/** What the API is asked with, and bodies as they went over the wire, stay as they are. */
const KEPT = new Set(["id", "identityId", "targetIdentityId", "fingerprint", "session", "eventId", "requestBody", "responseBody", "requestHeaders"]);

/** Text in which nothing is turned round: U+202E stands there as "[U+202E]". */
export function visible(text: string): string {
  return text.replaceAll(ALL_TURNING, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`);
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
    if (!TURNING.test(text)) return undefined;
    const { status, statusText, headers } = response;
    const own = new Headers(headers);
    // It is as long as it was sent, and no longer compressed.
    own.delete("Content-Length");
    own.delete("Content-Encoding");
    return new Response(JSON.stringify(walk(JSON.parse(text))), { status, statusText, headers: own });
  },
};

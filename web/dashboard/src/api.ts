// The one way to the server: its public API, with answers kept until something says that they have changed.

import { createApi, type ApiError, type paths, type Schemas } from "@dregs/api";
import { QueryCache, QueryClient } from "@tanstack/react-query";
import { notifications } from "@mantine/notifications";
import createQueries from "openapi-react-query";
import { createElement } from "react";
import { doubt, onBack } from "./app/reach";
import { makeVisible } from "./app/visible";
import { fieldWords, sentence } from "./fields";
import { Words } from "./parts/Words";

export type { ApiError, Schemas };
export type Path = keyof paths;

export const api = createApi();
api.use(makeVisible);
/** Queries and mutations by method and path: `$api.useQuery("get", "/api/identities", …)`. */
export const $api = createQueries(api);

declare module "@tanstack/react-query" {
  interface Register {
    /** Of what is counted anew at each question: whether that was much. */
    queryMeta: { isMuch?: (data: unknown) => boolean };
  }
}

/** What is asked again at once would be the same: pages that are opened one after the other share answers. */
const FRESH_MS = 2_000;

export const queries = new QueryClient({
  queryCache: new QueryCache({ onError: (error) => (asApiError(error)?.status === 401 ? signInAgain() : asApiError(error)?.code === "second_factor_missing" ? setUpFirst() : look(error)) }),
  defaultOptions: {
    queries: { staleTime: FRESH_MS, retry: (count, error) => isOutage(error) && count < 3, refetchOnWindowFocus: true },
    mutations: { onError: (error) => tellError(error) },
  },
});
onBack(() => void queries.invalidateQueries());

/** What is no refusal did not come from the server. */
function look(error: unknown): void {
  if (!asApiError(error)) doubt();
}

/** The session of whoever was signed in has ended: they come back to where they are. */
function signInAgain(): void {
  const wasSignedIn = queries.getQueryData(["get", "/api/auth/me"]) !== undefined;
  if (wasSignedIn) location.assign(`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`);
}

/** The team has required a second factor meanwhile, and whoever is signed in has none. */
function setUpFirst(): void {
  location.assign(`/second-factor?to=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Whether an error is the server's or the network's, so that asking again may help. */
function isOutage(error: unknown): boolean {
  const status = asApiError(error)?.status;
  return status === undefined || status === "rate_limited" || (typeof status === "number" && status >= 500);
}

/** The server's refusal, if it is one and not a failure to reach it. */
export function asApiError(error: unknown): ApiError | undefined {
  return typeof error === "object" && error !== null && "code" in error ? (error as ApiError) : undefined;
}

/** Whether an error is one of the page's own: browsers throw a TypeError, too, where a server cannot be reached. */
function isFault(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof TypeError && /fetch|network|load failed/i.test(error.message));
}

/** An error in words, with what is wrong with which field. */
export function errorText(error: unknown): string {
  const refusal = asApiError(error);
  if (!refusal) return isFault(error) ? `This page has a fault: ${sentence(error.message)}` : "The server cannot be reached. Is it running?";
  if (refusal.details.length === 0) return refusal.message;
  // The message of such a refusal is its details.
  return refusal.details.map(({ field, message }) => fieldWords(field, message)).map(sentence).join(" ");
}

export function tellError(error: unknown): void {
  look(error);
  notifications.show({ color: "red", title: "That did not work", message: createElement(Words, { text: errorText(error) }), autoClose: 8_000 });
}

/** Says it once, however often a key is pressed. */
export function tell(message: string): void {
  notifications.show({ id: message, message, autoClose: 3_000 });
}

/** Asks again for everything below these paths that is shown now, and for the rest when it is shown next. */
export function refresh(...below: string[]): Promise<void> {
  return queries.invalidateQueries({ predicate: ({ queryKey: [, path] }) => isBelow(path, below) });
}

/** Asks again as `refresh`, but not for what was much to count: that asks by itself, and seldom. */
export function refreshOften(...below: string[]): Promise<void> {
  return queries.invalidateQueries({ predicate: ({ queryKey: [, path], meta, state }) => !meta?.isMuch?.(state.data) && isBelow(path, below) });
}

function isBelow(path: unknown, below: string[]): boolean {
  return typeof path === "string" && below.some((start) => path.startsWith(start));
}

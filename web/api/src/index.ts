// The API of a dregs server, typed by its OpenAPI document: `npm run generate` writes schema.d.ts from openapi.json.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type { paths } from "./schema";

/** The bodies of requests and answers, by name. */
export type Schemas = components["schemas"];

/** What a refused request answers. */
export type ApiError = Schemas["ErrorBody"];

/** A client of the server at `baseUrl`: the one that the page comes from, unless said. */
export function createApi(baseUrl = "") {
  return createClient<paths>({ baseUrl, fetch: once() });
}

/** Changes that are asked for again before they are answered, as by a double click, are asked for once. */
function once(): (request: Request) => Promise<Response> {
  const underWay = new Map<string, Promise<Response>>();
  return async (request) => {
    if (request.method === "GET") return fetch(request);
    const key = [request.method, request.url, await request.clone().text()].join("\n");
    const answer = underWay.get(key) ?? fetch(request).finally(() => underWay.delete(key));
    underWay.set(key, answer);
    return (await answer).clone();
  };
}

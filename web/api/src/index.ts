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
  return createClient<paths>({ baseUrl });
}

// Escalations as the queue asks for them, and what it asks for about the one that is looked at.

import { $api, queries, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";

export type Escalation = Schemas["EscalationBody"];
export type EscalationPage = Schemas["Page_EscalationBody"];

/** The most that a summary counts. */
export const COUNTED_MAX = 100_000;

export const STATUSES = ["OPEN", "ACKNOWLEDGED", "CLOSED"] as const;
export type Status = (typeof STATUSES)[number];
/** In the address, for escalations in any status: without one, those that are open are shown. */
export const ANY_STATUS = "ALL";

/** In the address and in the API, for those that are not closed. */
export const ACTIVE = "ACTIVE";
/** In the address and in the API, who works on it: whoever asks, or nobody. */
export const ME = "me";
export const NOBODY = "none";

/** The status that an address asks for; open ones where it names none that there is. */
export function statusOf(named: string | undefined): string {
  return [...STATUSES, ACTIVE, ANY_STATUS].find((status) => status === named) ?? "OPEN";
}

/** Escalations that are shown at once. */
export const PAGE_SIZE = 50;
/** What the first page is asked for: more than it shows, for what has come above and for what is done with. The API gives no more. */
const ROWS_MAX = 100;
/** Events of the identity that are shown. */
const EVENTS = 6;

/** The orders of the queue, by their names in the address, and in words; of one severity the newest come first. */
const ORDERS = {
  gravest: { sort: "severity", order: "DESC", words: "Worst, then newest" },
  newest: { sort: "openedAt", order: "DESC", words: "Newest first" },
  oldest: { sort: "openedAt", order: "ASC", words: "Oldest first" },
} as const;
type OrderName = keyof typeof ORDERS;
const ORDER_NAMES = Object.keys(ORDERS) as OrderName[];

/** What is to be done comes by how grave it is; what is done, by when it was. */
function ownOrder(status: string): OrderName {
  return status === "OPEN" || status === "ACKNOWLEDGED" || status === ACTIVE ? "gravest" : "newest";
}

/** The orders to choose from for a status: its own, and the others by their names. */
export function ordersOf(status: string): { own: string; others: [name: string, words: string][] } {
  const own = ownOrder(status);
  return { own: ORDERS[own].words, others: ORDER_NAMES.filter((name) => name !== own).map((name) => [name, ORDERS[name].words]) };
}

/** What the address of the page asks for. */
export function useQueueQuery() {
  const [{ status: named, severity, rule, identity, outcome, assignee, mentioned, overdue, shares, by, pageNumber }] = usePageSearch();
  const status = statusOf(named);
  const { sort, order } = ORDERS[ORDER_NAMES.find((name) => name === by) ?? ownOrder(status)];
  return {
    pageNumber: Number(pageNumber ?? 0),
    pageSize: PAGE_SIZE,
    ...(status === ANY_STATUS ? {} : { status }),
    ...(severity ? { severity } : {}),
    ...(rule ? { rule } : {}),
    ...(identity ? { identity } : {}),
    ...(outcome ? { outcome } : {}),
    ...(assignee ? { assignee } : {}),
    ...(mentioned ? { mentioned } : {}),
    ...(overdue === "true" ? { overdue: true } : {}),
    ...(shares ? { shares } : {}),
    sort,
    order,
  };
}

/** What the API is asked for: the page, and where it is the first, rows that may come to stand on it. */
export function rowsOf(query: QueueQuery): QueueQuery {
  return query.pageNumber === 0 ? { ...query, pageSize: ROWS_MAX } : query;
}

export type QueueQuery = ReturnType<typeof useQueueQuery>;

/** Whether an escalation that has moved is still one of those that are asked for. */
export function isAskedFor({ status: asked }: QueueQuery, status: string): boolean {
  return !asked || status === asked || (asked === ACTIVE && status !== "CLOSED");
}

export const escalationQuery = (id: number) => $api.queryOptions("get", "/api/escalations/{id}", { params: { path: { id } } });
export const identityQuery = (id: string) => $api.queryOptions("get", "/api/identities/{id}", { params: { path: { id } } });
export const analysisQuery = (id: string) => $api.queryOptions("get", "/api/identities/{id}/analysis", { params: { path: { id } } });
export const eventsQuery = (id: string) => $api.queryOptions("get", "/api/events", { params: { query: { identity: id, pageSize: EVENTS } } });

/** Asks for what an escalation of this identity shows. */
export function askAhead(id: string, isScored: boolean): void {
  void queries.prefetchQuery(identityQuery(id));
  void queries.prefetchQuery(eventsQuery(id));
  if (isScored) void queries.prefetchQuery(analysisQuery(id));
}

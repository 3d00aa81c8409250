// What rules were and what is drafted beside them, of both kinds alike.

import { useMutation, useQuery } from "@tanstack/react-query";
import { api, refresh, tell, tellError, type Schemas } from "../../api";
import type { BadgeRule, EscalationRule } from "./rules";

export type RuleKind = "badge" | "escalation";
export type Comparison = Schemas["ComparisonBody"];

export interface Version<Rule> {
  revision?: number | null;
  rule: Rule;
  createdAt: string;
  createdBy?: string | null;
}

interface Versions<Rule> {
  draft?: Version<Rule> | null;
  versions: Version<Rule>[];
}

export type RuleOf<Kind extends RuleKind> = Kind extends "badge" ? BadgeRule : EscalationRule;

/** The paths of escalation rules stand for both: what is asked and answered differs in the rule alone. */
const path = <Path extends string>(kind: RuleKind, path: Path) => (kind === "badge" ? path.replace("/escalation-rules/", "/badge-rules/") : path) as Path;

async function answer<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T | undefined> {
  const { data, error, response } = await asked;
  if (!response.ok) throw error;
  return data;
}

export function useVersions<Kind extends RuleKind>(kind: Kind, id: number) {
  return useQuery({
    queryKey: ["get", `/api/${kind}-rules`, id, "versions"],
    queryFn: async ({ signal }) => {
      const found = await answer(api.GET(path(kind, "/api/escalation-rules/{id}/versions"), { params: { path: { id } }, signal }));
      return found as unknown as Versions<RuleOf<Kind>>;
    },
  });
}

/** What both would have done; of a revision, or of the draft. */
export function useComparison(kind: RuleKind, id: number, revision: number | undefined, of: string) {
  return useQuery({
    // By what is compared alone: a rule that has changed is another comparison.
    queryKey: ["comparison", kind, id, revision ?? "draft", of],
    queryFn: async ({ signal }) => {
      const query = revision === undefined ? {} : { revision };
      return (await answer(api.GET(path(kind, "/api/escalation-rules/{id}/comparison"), { params: { path: { id }, query }, signal }))) as Comparison;
    },
    // Asked for by the button alone.
    staleTime: Infinity,
    gcTime: 0,
  });
}

/** Changes something about a rule's versions, and says so. */
function useChange<Asked>(kind: RuleKind, change: (asked: Asked) => Promise<unknown>, said: string) {
  return useMutation({
    mutationFn: change,
    onSuccess: () => tell(said),
    onError: tellError,
    onSettled: () => refresh(`/api/${kind}-rules`, "/api/dashboard/rule-activity", `/api/${kind}-rules/{id}`),
  });
}

export function useDiscard(kind: RuleKind, id: number) {
  return useChange(kind, () => answer(api.DELETE(path(kind, "/api/escalation-rules/{id}/draft"), { params: { path: { id } } })), "The draft is discarded.");
}

export function usePromote(kind: RuleKind, id: number) {
  return useChange(kind, () => answer(api.POST(path(kind, "/api/escalation-rules/{id}/actions/promote-draft"), { params: { path: { id } } })), "The draft is in force.");
}

export function useRestore(kind: RuleKind, id: number) {
  const restore = (revision: number) => answer(api.POST(path(kind, "/api/escalation-rules/{id}/actions/restore"), { params: { path: { id } }, body: { revision } }));
  return useChange(kind, restore, "The earlier version is in force again.");
}

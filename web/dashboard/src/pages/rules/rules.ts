// The rules of the team, all of them: there are few, and they are read together.

import { useQuery } from "@tanstack/react-query";
import { $api, api, type Schemas } from "../../api";
import { CONFIRMED_BAD } from "../labels/words";
import type { Names } from "./condition";

export type BadgeRule = Schemas["BadgeRuleBody"];
export type EscalationRule = Schemas["EscalationRuleBody"];

/** Stands in the place of a rule's id where chance has opened an escalation. */
export const DRAWN = "0";

/** The longest page that the API gives. */
const PAGE_SIZE = 100;

interface ListPage<Rule> {
  content: Rule[];
  last: boolean;
}

/** All pages of a list, one after the other. */
export async function every<Rule>(page: (query: { pageNumber: number; pageSize: number }) => Promise<{ data?: ListPage<Rule>; error?: unknown }>): Promise<Rule[]> {
  const rules: Rule[] = [];
  for (let pageNumber = 0; ; pageNumber++) {
    const { data, error } = await page({ pageNumber, pageSize: PAGE_SIZE });
    if (!data) throw error;
    rules.push(...data.content);
    if (data.last) return rules;
  }
}

export function useBadgeRules() {
  return useQuery({
    queryKey: ["get", "/api/badge-rules", "every"],
    queryFn: ({ signal }) => every((query) => api.GET("/api/badge-rules", { params: { query }, signal })),
  });
}

export function useEscalationRules() {
  return useQuery({
    queryKey: ["get", "/api/escalation-rules", "every"],
    queryFn: ({ signal }) => every((query) => api.GET("/api/escalation-rules", { params: { query }, signal })),
  });
}

/** Badges that labels and analyzers give, whatever the rules are. */
export const WITHOUT_RULE = [
  { value: CONFIRMED_BAD, label: "Confirmed bad" },
  { value: "account-takeover-suspected", label: "Account takeover suspected" },
  { value: "card-testing", label: "Card testing" },
  { value: "registration-bombing", label: "Registration bombing" },
];

/** Every badge that somebody can carry, by slug, and what people call it. */
export function useBadges(): { value: string; label: string }[] {
  const { data } = useBadgeRules();
  return [...(data ?? []).map(({ slug, name }) => ({ value: slug, label: name })), ...WITHOUT_RULE];
}

/** What rules may ask of events and their identities. */
export function useFacts(): Schemas["FactBody"][] {
  return $api.useQuery("get", "/api/facts").data ?? [];
}

/** The team's counters. */
export function useCounters(): Schemas["CounterBody"][] {
  return $api.useQuery("get", "/api/counters", { params: { query: { pageSize: PAGE_SIZE } } }).data?.content ?? [];
}

/** The team's lists. */
export function useTeamLists(): Schemas["ListBody"][] {
  return $api.useQuery("get", "/api/lists").data ?? [];
}

/** What people call the badge of a slug; of one that nobody gives any more, its slug. */
export function useBadgeName(): (slug: string) => string {
  const badges = useBadges();
  return (slug) => badges.find(({ value }) => value === slug)?.label ?? slug;
}

/** How facts with a path in their names are said: as the server says them, whether or not its newest events have them. */
const PATHS: [prefix: string, words: (path: string) => string][] = [
  ["event.data.", (path) => `the event's "${path}"`],
  ["identity.data.", (path) => `the identity's "${path}"`],
  ["group.", (type) => `the ${type}`],
];

/** A fact in words; of what is none, its name. */
export function factInWords(name: string, facts: Schemas["FactBody"][]): string {
  const path = PATHS.find(([prefix]) => name.startsWith(prefix) && name !== prefix);
  return path ? path[1](name.slice(path[0].length)) : (facts.find((fact) => fact.name === name)?.description ?? name);
}

/** What people call what conditions name; of what is gone, its slug. */
export function useNames(): Names {
  const [badge, facts, counters, lists] = [useBadgeName(), useFacts(), useCounters(), useTeamLists()];
  return {
    badge,
    fact: (name) => factInWords(name, facts),
    counter: (slug) => counters.find((counter) => counter.slug === slug)?.name ?? slug,
    list: (slug) => lists.find((list) => list.slug === slug)?.name ?? slug,
  };
}

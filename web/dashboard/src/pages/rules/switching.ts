// Turns a rule on and off, in the list.

import { useMutation } from "@tanstack/react-query";
import { api, refresh, tellError } from "../../api";

/** What `asked` has answered; throws what the API has refused. */
async function answer<T>(asked: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await asked;
  if (!data) throw error;
  return data;
}

// A rule is replaced as a whole: it is read anew, so that what others have changed of it since stays.

export function useSwitchBadgeRule(id: number) {
  const params = { path: { id } };
  return useMutation({
    mutationFn: async (enabled: boolean) => {
      const { name, type, priority, conditions, applyDelaySeconds, removeDelaySeconds, addsToLists } = await answer(api.GET("/api/badge-rules/{id}", { params }));
      const body = { name, type, priority, conditions, applyDelaySeconds, removeDelaySeconds, addsToLists, enabled };
      await answer(api.PUT("/api/badge-rules/{id}", { params, body }));
    },
    onSettled: () => refresh("/api/badge-rules"),
    onError: tellError,
  });
}

export function useSwitchEscalationRule(id: number) {
  const params = { path: { id } };
  return useMutation({
    mutationFn: async (enabled: boolean) => {
      const rule = await answer(api.GET("/api/escalation-rules/{id}", { params }));
      const { name, severity, channels, conditions, openAfterSeconds, closeAfterSeconds, effectiveAt, addsToLists } = rule;
      const body = { name, severity, channels, conditions, openAfterSeconds, closeAfterSeconds, addsToLists, enabled, effectiveAt: effectiveAt ?? null };
      await answer(api.PUT("/api/escalation-rules/{id}", { params, body }));
    },
    onSettled: () => refresh("/api/escalation-rules"),
    onError: tellError,
  });
}

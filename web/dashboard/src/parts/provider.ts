// Signing in at the OpenID provider: a browser goes there, and what it needs when it comes back waits in its tab.

import { api } from "../api";

const KEY = "sign-in at the provider";

interface Waiting {
  ceremony: string;
  /** The page to go to then. */
  to: string;
}

/** Leaves for the provider. */
export async function goToProvider(to: string): Promise<void> {
  const { data, error } = await api.POST("/api/auth/login/oidc/actions/begin");
  if (!data) throw error;
  sessionStorage.setItem(KEY, JSON.stringify({ ceremony: data.ceremony, to } satisfies Waiting));
  location.assign(data.url);
}

/** What waits in this tab for whoever comes back; nothing where nobody left. */
export function waiting(): Waiting | undefined {
  const kept = sessionStorage.getItem(KEY);
  return kept === null ? undefined : (JSON.parse(kept) as Waiting);
}

export function stopWaiting(): void {
  sessionStorage.removeItem(KEY);
}

// Who is signed in, and what they may.

import { $api, api, queries, tellError, type Schemas } from "../api";

export type User = Schemas["MeBody"];

/** Whoever is signed in; pages inside the frame are shown only when somebody is. */
export function useUser(): User {
  const { data } = $api.useQuery("get", "/api/auth/me", undefined, { staleTime: 60_000 });
  if (!data) throw new Error("nobody is signed in");
  return data;
}

/** What the role allows: VIEWER reads, USER works on cases, ADMIN manages. */
export function useMay(): { triage: boolean; manage: boolean } {
  const { role } = useUser();
  return { triage: role !== "VIEWER", manage: role === "ADMIN" };
}

const WHO = { manage: "an admin", triage: "an analyst or an admin" };

/** Where the role does not allow it, who may: "Only an admin can change channels." */
export function useMayNot(needed: keyof typeof WHO, what: string): string | undefined {
  return useMay()[needed] ? undefined : `Only ${WHO[needed]} can ${what}.`;
}

/** The person of the session, asked before a page inside the frame is shown; nobody where none is signed in. */
export async function session(): Promise<User | null> {
  const { queryKey } = $api.queryOptions("get", "/api/auth/me");
  const known = queries.getQueryData<User>(queryKey);
  if (known) return known;
  // `/auth/me` would answer 401, which browsers tell of in their console.
  const { user } = await queries.fetchQuery({ ...$api.queryOptions("get", "/api/auth/session"), staleTime: 0, gcTime: 0 });
  if (user) queries.setQueryData(queryKey, user);
  return user ?? null;
}

/** Pages of one thing, by how their addresses begin, and the list that it is in. */
const OF_ONE: [begins: string, list: string][] = [
  ["/identities/", "/identities"], ["/events/", "/events"], ["/devices/", "/devices"], ["/groups/", "/groups"], ["/badge-rules/", "/rules"],
  ["/escalation-rules/", "/rules"], ["/deliveries/", "/settings/channels"], ["/settings/channels/", "/settings/channels"],
];

/** The same place in another team: a thing is of one team, so that in its place stands the list of such things. */
export function placeInTeam(path: string): string {
  return OF_ONE.find(([begins]) => path.startsWith(begins))?.[1] ?? path;
}

/** By which the other tabs of this browser, whose session it is as well, learn that another team was chosen. */
export const CHOSEN_TEAM = "dregs.team";

/** Goes on in another team. Everything is loaded anew: nothing of the team before stays in memory. */
export async function chooseTeam(teamId: number): Promise<void> {
  const { error } = await api.PUT("/api/auth/session/team", { body: { teamId } });
  if (error) return tellError(error);
  localStorage.setItem(CHOSEN_TEAM, `${teamId} ${Date.now()}`);
  location.assign(placeInTeam(location.pathname));
}

/** A page of this server to go to, whatever an address says. */
export function ownPage(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])/.test(to) ? to : "/";
}

export async function signOut(): Promise<void> {
  await api.POST("/api/auth/logout");
  location.assign("/sign-in");
}

// Kinds of links, and the colours that tell them apart.

import type { Schemas } from "../../api";
import { band, CATEGORIES, scoreOf, word } from "../../parts/score";

const KINDS: Record<string, string> = {
  SAME_DEVICE: "Same device",
  SAME_SESSION: "Same session",
  SHARED_IP: "Same IP address",
  SIMILAR_EMAIL: "Similar e-mail",
  SIMILAR_NAME: "Similar name",
  SIMILAR_BEHAVIOR: "Similar behavior",
};

/** A kind of link in words. */
export function kindOf(type: string): string {
  return KINDS[type] ?? word(type);
}

/** The variable of CSS with the colour of a kind of link, as Identity.module.css names them; grey for one that is new. */
export function linkColour(type: string): string {
  return `var(--link-${type.toLowerCase().replaceAll("_", "-")}, var(--mantine-color-dimmed))`;
}

/** The band of the worst of somebody's scores; undefined before there is any. */
export function worstBand(identity: Schemas["IdentityBody"]): number | undefined {
  const scores = CATEGORIES.map((category) => scoreOf(identity, category)).filter((score) => score !== null);
  return scores.length === 0 ? undefined : band(Math.min(...scores));
}

/** What bands mean, for the legend. */
export const BANDS = ["below 30", "30 to 49", "50 to 69", "70 and more"] as const;

export function nodeColour(identity: Schemas["IdentityBody"]): string {
  const worst = worstBand(identity);
  return worst === undefined ? "var(--mantine-color-dimmed)" : `var(--band-${worst}-mark)`;
}

/** What tells a link of a cluster from its others. */
export function keyOf({ sourceIdentityId, targetIdentityId, type }: Schemas["ClusterLinkBody"]): string {
  return JSON.stringify([sourceIdentityId, targetIdentityId, type]);
}

export function nameOf({ displayName, id }: Schemas["IdentityBody"]): string {
  return displayName || id;
}

// What of a ring can be banned, in words, and the rule that uses it.

import { api, asApiError, type Schemas } from "../../api";
import { bounded, counted } from "../../parts/counts";

export type Ring = Schemas["RingBody"];
export type Key = Schemas["RingKeyBody"];
type BanList = Schemas["BanListBody"];

/** Values of a type, as the headings here have them. */
const TYPES: Record<string, string> = { DEVICE: "Devices", IP: "IP addresses", EMAIL: "E-mail addresses", PHONE: "Phone numbers", IDENTITY: "Identities", TEXT: "Cards" };

export function typeWords(type: string): string {
  return TYPES[type] ?? type;
}

/** Whether somebody of a ring is labeled good, and so is left out of its ban. */
export function isGood({ label }: Pick<Ring["members"][number], "label">): boolean {
  return label?.outcome === "GOOD";
}

/** What tells a value from others. */
export function keyOf({ type, value }: Key): string {
  return `${type} ${value}`;
}

/** "5 of the ring have it, and nobody else." */
export function holders({ type, inside, outside, outsideIsExact }: Key): string {
  if (type === "IDENTITY") return inside > 0 ? "In the ring." : "Labeled good.";
  const ring = inside === 0 ? "Nobody to be banned has it" : `${inside.toLocaleString("en")} of the ring ${inside === 1 ? "has" : "have"} it`;
  if (outside === null || outside === undefined) return `${ring}. Who else has it is not known.`;
  if (outside === 0 && outsideIsExact) return `${ring}, and nobody else.`;
  return `${ring}, ${inside === 0 ? "but" : "and"} ${bounded(outside, outsideIsExact)} ${outside === 1 && outsideIsExact ? "other" : "others"}.`;
}

/** Whether a ban of it may hit somebody outside the ring. */
export function mayHitOthers(key: Key): boolean {
  return !key.hitsNobodyElse;
}

/** What a ban did: "5 values are banned." */
export function bannedWords(lists: Schemas["BannedListBody"][]): string {
  const sum = (of: (list: Schemas["BannedListBody"]) => number) => lists.reduce((sum, list) => sum + of(list), 0);
  const [banned, before] = [sum(({ added, changed }) => added + changed), sum(({ unchanged }) => unchanged)];
  const was = before > 0 ? ` ${counted(before, "value was", "values were")} banned before.` : "";
  return `${counted(banned, "value is", "values are")} banned.${was}`;
}

/** Who is banned is that before anything else. */
const BAN_PRIORITY = 100;

/** Creates the badge rule that uses these lists: "Banned", or by their names where there is one. */
export async function createRule(lists: BanList[]): Promise<string> {
  const asked = lists.flatMap(({ slug, facts }) => facts.map((fact) => ({ type: "IN_LIST", fact, list: slug })));
  const conditions = asked.length === 1 ? asked : [{ type: "ANY", conditions: asked }];
  const named = async (name: string) => {
    const { error } = await api.POST("/api/badge-rules", { body: { name, type: "BAD", conditions, priority: BAN_PRIORITY } });
    if (error) throw error;
    return name;
  };
  try {
    return await named("Banned");
  } catch (error) {
    if (asApiError(error)?.code !== "rule_exists") throw error;
    return named(`Banned: ${lists.map(({ type }) => typeWords(type).toLowerCase()).join(", ")}`);
  }
}

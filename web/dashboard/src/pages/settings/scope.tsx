// Whether something is the team's own or shipped.

import { Chip } from "../../parts/Chip";

export const SCOPES: [string, string][] = [["CUSTOMER", "Custom"], ["GLOBAL", "Built-in"]];

export function OwnChip({ scope }: { scope: string }) {
  return scope === "CUSTOMER" ? <Chip tone={2}>Custom</Chip> : <Chip>Built-in</Chip>;
}

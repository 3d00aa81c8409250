// Whether something is the team's own or shipped.

import { Chip } from "../../parts/Chip";

export const SCOPES: [string, string][] = [["CUSTOMER", "Yours"], ["GLOBAL", "Shipped"]];

export function OwnChip({ scope }: { scope: string }) {
  return scope === "CUSTOMER" ? <Chip tone={2}>yours</Chip> : <Chip>shipped</Chip>;
}

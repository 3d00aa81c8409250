import { word } from "../../parts/score";

/** What people of a team may. */
export const ROLES = [
  { value: "ADMIN", label: "Admin", may: "full access." },
  { value: "USER", label: "User", may: "reads, and handles escalations and identities." },
  { value: "VIEWER", label: "Viewer", may: "reads." },
];

/** "User: reads, and handles escalations and identities." */
export function roleWords(role: string): string {
  const known = ROLES.find(({ value }) => value === role);
  return known ? `${known.label}: ${known.may}` : word(role);
}

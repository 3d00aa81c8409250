import { word } from "../../parts/score";

/** What people of a team may. */
export const ROLES = [
  { value: "ADMIN", label: "Admin", may: "full access." },
  { value: "USER", label: "Analyst", may: "reads, and handles escalations and identities." },
  { value: "VIEWER", label: "Viewer", may: "reads." },
];

const known = (role: string) => ROLES.find(({ value }) => value === role);

/** "Analyst", which the API calls USER. */
export function roleName(role: string): string {
  return known(role)?.label ?? word(role);
}

/** "Analyst: reads, and handles escalations and identities." */
export function roleWords(role: string): string {
  const may = known(role)?.may;
  return may ? `${roleName(role)}: ${may}` : roleName(role);
}

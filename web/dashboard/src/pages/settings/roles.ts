/** What people of a team may. */
export const ROLES = [
  { value: "ADMIN", label: "Admin", may: "full access." },
  { value: "USER", label: "User", may: "reads, and handles escalations and identities." },
  { value: "VIEWER", label: "Viewer", may: "reads." },
];

/** What people of a team may. */
export const ROLES = [
  { value: "ADMIN", label: "Admin", may: "everything." },
  { value: "USER", label: "User", may: "reads, and works on escalations and identities." },
  { value: "VIEWER", label: "Viewer", may: "reads." },
];

export function BadgeRulePage() {
  return <p>BadgeRulePage</p>;
}

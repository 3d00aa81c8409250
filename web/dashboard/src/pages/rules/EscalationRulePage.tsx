export function EscalationRulePage() {
  return <p>EscalationRulePage</p>;
}

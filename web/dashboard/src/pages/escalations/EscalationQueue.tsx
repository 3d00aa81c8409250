export function EscalationQueue() {
  return <p>EscalationQueue</p>;
}

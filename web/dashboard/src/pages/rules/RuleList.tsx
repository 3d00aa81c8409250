export function RuleList() {
  return <p>RuleList</p>;
}

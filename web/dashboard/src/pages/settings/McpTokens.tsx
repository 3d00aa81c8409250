export function McpTokens() {
  return <p>McpTokens</p>;
}

export function System() {
  return <p>System</p>;
}

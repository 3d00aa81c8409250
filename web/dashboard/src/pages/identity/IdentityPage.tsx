export function IdentityPage() {
  return <p>IdentityPage</p>;
}

export function IdentityList() {
  return <p>IdentityList</p>;
}

export function Mappings() {
  return <p>Mappings</p>;
}

export function EventList() {
  return <p>EventList</p>;
}

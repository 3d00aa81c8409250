export function DeviceList() {
  return <p>DeviceList</p>;
}

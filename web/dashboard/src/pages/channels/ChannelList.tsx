export function ChannelList() {
  return <p>ChannelList</p>;
}

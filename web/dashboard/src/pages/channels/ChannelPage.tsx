export function ChannelPage() {
  return <p>ChannelPage</p>;
}

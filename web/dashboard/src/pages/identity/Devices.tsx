import { Empty } from "../../parts/Answer";
import { DevicesOf } from "../../parts/Lists";

/** The devices an identity was seen on. */
export function Devices({ id }: { id: string }) {
  const empty = <Empty title="No devices">Devices are reported with events: by the browser script, or as a fingerprint from your backend.</Empty>;
  return <DevicesOf filter={{ identity: id }} empty={empty} />;
}

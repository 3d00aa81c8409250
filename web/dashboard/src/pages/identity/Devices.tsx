import { Empty } from "../../parts/Answer";
import { DevicesOf } from "../../parts/Lists";

/** The devices an identity was seen on. */
export function Devices({ id }: { id: string }) {
  const empty = <Empty title="No devices">Devices come with events: from the script in the browser, or by a fingerprint that your backend sends.</Empty>;
  return <DevicesOf filter={{ identity: id }} empty={empty} />;
}

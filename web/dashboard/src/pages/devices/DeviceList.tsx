// The devices that users were seen on.

import { Group } from "@mantine/core";
import { usePageSearch } from "../../app/search";
import { Empty } from "../../parts/Answer";
import { ChoiceFilter, SearchFilter, TextFilter } from "../../parts/Filters";
import { Page } from "../../parts/Page";
import { DevicesOf } from "../../parts/Lists";

export function DeviceList() {
  const [{ term, identity, disregarded }] = usePageSearch();
  const filter = { ...(term ? { term } : {}), ...(identity ? { identity } : {}), ...(disregarded ? { disregarded: disregarded === "true" } : {}) };
  const empty = Object.keys(filter).length > 0
    ? <Empty title="No matching devices" />
    : <Empty title="No devices yet">dregs.js recognizes the device of an event; a backend with its own fingerprint sends it in <code>device.fingerprint</code>.</Empty>;
  return (
    <Page title="Devices">
      <Group gap="xs" className="filters">
        <SearchFilter label="Fingerprint, IP address or browser" />
        <TextFilter name="identity" label="Identity id" w={170} />
        <ChoiceFilter name="disregarded" label="Disregarded or not" options={[["false", "Not disregarded"], ["true", "Disregarded"]]} />
      </Group>
      <DevicesOf filter={filter} empty={empty} />
    </Page>
  );
}

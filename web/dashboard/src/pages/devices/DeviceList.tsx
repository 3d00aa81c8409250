// The devices that users were seen on.

import { Group } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { useListQuery, usePageSearch } from "../../app/search";
import { Answer, Empty } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { DeviceLink } from "../../parts/Columns";
import { ChoiceFilter, SearchFilter, TextFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page } from "../../parts/Page";
import { Time } from "../../parts/Time";

type Device = Schemas["DeviceBody"];

const COLUMNS: Column<Device>[] = [
  { title: "Device", cell: ({ fingerprint, disregarded }) => <><DeviceLink fingerprint={fingerprint} /> {disregarded && <Chip tone={2}>Disregarded</Chip>}</> },
  { title: "Browser", cell: ({ userAgent }) => <span className="clip" style={{ display: "inline-block", maxWidth: 340 }} title={userAgent ?? undefined}>{userAgent ?? "–"}</span> },
  { title: "Address", sort: "ip", cell: ({ ip }) => <span className="mono">{ip ?? "–"}</span> },
  { title: "Place", cell: (device) => placeOf(device) ?? "–" },
  { title: "First seen", sort: "firstSeenAt", first: "DESC", cell: ({ firstSeenAt }) => <Time at={firstSeenAt} /> },
  { title: "Last seen", sort: "lastSeenAt", first: "DESC", cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
];

/** City, region and country, as far as they are known. */
export function placeOf({ city, region, country, countryCode }: Device): string | null {
  return [city, region, country ?? countryCode].filter(Boolean).join(", ") || null;
}

export function DeviceList() {
  const [{ term, identity, disregarded }] = usePageSearch();
  const query = { ...useListQuery(), term, identity, ...(disregarded ? { disregarded: disregarded === "true" } : {}) };
  const devices = $api.useQuery("get", "/api/devices", { params: { query } }, { placeholderData: keepPreviousData });
  const isFiltered = Boolean(term || identity || disregarded);
  return (
    <Page title="Devices">
      <Group gap="xs">
        <SearchFilter label="Fingerprint, address or browser" />
        <TextFilter name="identity" label="Identity, exactly" w={170} />
        <ChoiceFilter name="disregarded" label="Disregarded or not" options={[["false", "Regarded"], ["true", "Disregarded"]]} />
      </Group>
      <Answer of={devices} lines={10}>
        {(page) => (
          <ListTable
            label="Devices"
            page={page}
            columns={COLUMNS}
            rowKey={({ fingerprint }) => fingerprint}
            href={({ fingerprint }) => `/devices/${encodeURIComponent(fingerprint)}`}
            isWaiting={devices.isPlaceholderData}
            empty={isFiltered
              ? <Empty title="No device matches" />
              : <Empty title="No devices yet">dregs.js tells which device an event comes from; a backend that knows devices itself can say so in <code>device.fingerprint</code>.</Empty>}
          />
        )}
      </Answer>
    </Page>
  );
}

// The devices an identity was seen on.

import { Text } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { ListTable, type Column } from "../../parts/ListTable";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { useListQuery } from "../../app/search";

type Device = Schemas["DeviceBody"];

const COLUMNS: Column<Device>[] = [
  { title: "Device", sort: "fingerprint", cell: (device) => <Fingerprint device={device} /> },
  { title: "Address", sort: "ip", cell: ({ ip }) => <span className="mono">{ip ?? "–"}</span> },
  { title: "Network and place", cell: (device) => placeOf(device) || "–" },
  { title: "User agent", cell: ({ userAgent }) => <Text fz="sm" lineClamp={2} className="break" maw={420}>{userAgent ?? "–"}</Text> },
  { title: "First seen", sort: "firstSeenAt", first: "DESC", cell: ({ firstSeenAt }) => <Time at={firstSeenAt} /> },
  { title: "Last seen", sort: "lastSeenAt", first: "DESC", cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
];

export function Devices({ id }: { id: string }) {
  const query = { ...useListQuery(), identity: id };
  const devices = $api.useQuery("get", "/api/devices", { params: { query } }, { placeholderData: keepPreviousData });
  return (
    <Answer of={devices} lines={4}>
      {(page) => (
        <ListTable
          label="Devices"
          page={page}
          columns={COLUMNS}
          rowKey={({ fingerprint }) => fingerprint}
          href={({ fingerprint }) => `/devices/${encodeURIComponent(fingerprint)}`}
          isWaiting={devices.isPlaceholderData}
          empty={<Empty title="No devices">Devices come with events: from the script in the browser, or by a fingerprint that your backend sends.</Empty>}
        />
      )}
    </Answer>
  );
}

function Fingerprint({ device: { fingerprint, disregarded } }: { device: Device }) {
  return (
    <>
      <PageLink to="/devices/$fingerprint" params={{ fingerprint }} className="mono break">{fingerprint}</PageLink>
      {disregarded && <> <Chip tone={2}>Disregarded</Chip></>}
    </>
  );
}

function placeOf({ asnLabel, asn, city, country }: Device): string {
  return [asnLabel ?? asn, city, country].filter(Boolean).join(", ");
}

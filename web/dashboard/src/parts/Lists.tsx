// Lists that have a page of their own and are a part of others: of whose identities, events, devices and groups.

import { keepPreviousData } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { $api, type Schemas } from "../api";
import { useListQuery } from "../app/search";
import { Answer, Empty } from "./Answer";
import { DEVICE_COLUMNS, EVENT_COLUMNS, GROUP_COLUMNS, IDENTITY_COLUMNS } from "./Columns";
import { ListTable, type Column } from "./ListTable";

/** Identities that a filter lets through, by the order and the page in the address. */
export function IdentitiesOf({ filter, more = [] }: { filter: Record<string, string>; more?: Column<Schemas["IdentityBody"]>[] }) {
  const query = { sort: "lastTrackedAt", ...useListQuery(), ...filter };
  const found = $api.useQuery("get", "/api/identities", { params: { query } }, { placeholderData: keepPreviousData });
  return (
    <Answer of={found} lines={5}>
      {(page) => (
        <ListTable
          label="Identities"
          page={page}
          columns={[...IDENTITY_COLUMNS, ...more]}
          rowKey={({ id }) => id}
          href={({ id }) => `/identities/${encodeURIComponent(id)}`}
          isWaiting={found.isPlaceholderData}
          empty={<Empty title="No identities" />}
        />
      )}
    </Answer>
  );
}

/** Events that a filter lets through, newest first, by the page in the address. */
export function EventsOf({ filter }: { filter: Record<string, string | undefined> }) {
  const query = { pageNumber: useListQuery().pageNumber, ...filter };
  const found = $api.useQuery("get", "/api/events", { params: { query } }, { placeholderData: keepPreviousData });
  return (
    <Answer of={found} lines={10}>
      {(page) => (
        <ListTable
          label="Events"
          page={page}
          columns={EVENT_COLUMNS}
          rowKey={({ id }) => id}
          href={({ id }) => `/events/${encodeURIComponent(id)}`}
          isWaiting={found.isPlaceholderData}
          empty={<Empty title="No events">Events appear here as they arrive, from the browser script and from your backends.</Empty>}
        />
      )}
    </Answer>
  );
}

/** Devices that a filter lets through, by the order and the page in the address. */
export function DevicesOf({ filter, empty }: { filter: { term?: string; identity?: string; disregarded?: boolean }; empty: ReactNode }) {
  const query = { ...useListQuery(), ...filter };
  const found = $api.useQuery("get", "/api/devices", { params: { query } }, { placeholderData: keepPreviousData });
  return (
    <Answer of={found} lines={6}>
      {(page) => (
        <ListTable
          label="Devices"
          page={page}
          columns={DEVICE_COLUMNS}
          rowKey={({ fingerprint }) => fingerprint}
          href={({ fingerprint }) => `/devices/${encodeURIComponent(fingerprint)}`}
          isWaiting={found.isPlaceholderData}
          empty={empty}
        />
      )}
    </Answer>
  );
}

/** Groups that a filter lets through, by the order and the page in the address. */
export function GroupsOf({ filter, empty }: { filter: { term?: string; type?: string; identity?: string }; empty: ReactNode }) {
  const query = { ...useListQuery(), ...filter };
  const found = $api.useQuery("get", "/api/groups", { params: { query } }, { placeholderData: keepPreviousData });
  return (
    <Answer of={found} lines={6}>
      {(page) => (
        <ListTable
          label="Groups"
          page={page}
          columns={GROUP_COLUMNS}
          rowKey={({ type, id }) => `${type} ${id}`}
          href={({ type, id }) => `/groups/${encodeURIComponent(type)}/${encodeURIComponent(id)}`}
          isWaiting={found.isPlaceholderData}
          empty={empty}
        />
      )}
    </Answer>
  );
}

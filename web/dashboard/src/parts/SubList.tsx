// A list inside a page about something else: of its identities, of its events.

import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../api";
import { useListQuery } from "../app/search";
import { Answer, Empty } from "./Answer";
import { EVENT_COLUMNS, IDENTITY_COLUMNS } from "./Columns";
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
          empty={<Empty title="Nobody" />}
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
          empty={<Empty title="No events">Events stand here as they arrive, from the browser script and from your backends.</Empty>}
        />
      )}
    </Answer>
  );
}

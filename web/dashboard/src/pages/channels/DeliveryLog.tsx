// Everything that a channel was to tell, and what became of it.

import { Group, Text } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { StatusChip } from "../../parts/Chip";
import { ChoiceFilter, TextFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { word } from "../../parts/score";
import { ERRORS, size } from "../deliveries/words";
import type { Channel } from "./config";
import { Replay } from "./Replay";
import { TimeFilter } from "../../parts/TimeFilter";

type Delivery = Schemas["DeliveryBody"];

const STATUSES = ["PENDING", "DELIVERED", "FAILED", "PAUSED", "SUPERSEDED"];

const COLUMNS: Column<Delivery>[] = [
  {
    title: "Time",
    sort: "createdAt",
    cell: ({ id, createdAt }) => <PageLink to="/deliveries/$id" params={{ id: String(id) }}><Time at={createdAt} /></PageLink>,
  },
  { title: "Event", cell: ({ event }) => <span style={{ whiteSpace: "nowrap" }}>{word(event)}</span> },
  { title: "Identity", cell: ({ identityId }) => (identityId ? <div className="clip" style={{ maxWidth: 180 }}><IdentityLink id={identityId} /></div> : "–") },
  { title: "Status", cell: ({ status }) => <StatusChip status={status} /> },
  { title: "HTTP", cell: ({ httpStatus }) => <span className="numbers">{httpStatus ?? "–"}</span> },
  { title: "Error", cell: (delivery) => <ErrorWords delivery={delivery} /> },
  { title: "Attempts", cell: ({ attemptCount }) => <span className="numbers">{attemptCount}</span> },
  { title: "Payload", cell: ({ payloadSize }) => <span className="numbers" style={{ whiteSpace: "nowrap" }}>{payloadSize == null ? "–" : size(payloadSize)}</span> },
  { title: "Next attempt", cell: ({ nextAttemptAt }) => <Time at={nextAttemptAt} /> },
];

function ErrorWords({ delivery: { errorClass, errorMessage } }: { delivery: Delivery }) {
  if (!errorClass) return <>–</>;
  return <div className="clip" style={{ maxWidth: 220 }} title={errorMessage ?? undefined}>{ERRORS[errorClass] ?? errorMessage}</div>;
}

export function DeliveryLog({ channel }: { channel: Channel }) {
  const [search] = usePageSearch();
  const { manage } = useMay();
  const { status, event, identity, from, to, sort, order } = search;
  const query = { status, event, identity, from, to, sort, order: order as "ASC" | "DESC" | undefined, pageNumber: Number(search.pageNumber ?? 0) };
  const deliveries = $api.useQuery("get", "/api/channels/{id}/deliveries", { params: { path: { id: channel.id }, query } }, { placeholderData: keepPreviousData });
  const isFiltered = [status, event, identity, from, to].some(Boolean);
  return (
    <Panel title="Delivery log" actions={manage && <Replay channelId={channel.id} />}>
      <LogFilters />
      <Answer of={deliveries} lines={10}>
        {(page) => (
          <ListTable
            label="Deliveries"
            page={page}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            href={({ id }) => `/deliveries/${id}`}
            isWaiting={deliveries.isPlaceholderData}
            empty={isFiltered ? <Empty title="No matching deliveries" /> : <Nothing channel={channel} />}
          />
        )}
      </Answer>
    </Panel>
  );
}

function Nothing({ channel }: { channel: Channel }) {
  return (
    <Empty title="No deliveries yet">
      Each event that this channel is subscribed to ({channel.events.length === 0 ? "none so far" : channel.events.map(word).join(", ")}) becomes a delivery
      here, with every attempt to send it. A test makes one at once.
    </Empty>
  );
}

function LogFilters() {
  const types = $api.useQuery("get", "/api/event-types", undefined, { staleTime: Infinity });
  return (
    <Group gap="xs">
      <ChoiceFilter name="status" label="Any status" options={STATUSES.map((status) => [status, word(status)])} />
      <ChoiceFilter name="event" label="Any event" options={(types.data ?? []).map(({ name }) => [name, word(name)])} />
      <TextFilter name="identity" label="Identity id" w={170} />
      <TimeFilter name="from" label="From" />
      <TimeFilter name="to" label="To" />
      {types.error ? <Text c="dimmed" fz="sm">The event types could not be read.</Text> : null}
    </Group>
  );
}

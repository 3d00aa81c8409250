// Everything that a channel was to tell, and what became of it.

import { Button, Group, Text } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { ChoiceFilter, TextFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { word } from "../../parts/score";
import { About } from "../deliveries/About";
import { DeliveryStatus } from "../deliveries/DeliveryStatus";
import { ERRORS, OVERLAPS, STATES, WAITS } from "../deliveries/words";
import type { Channel } from "./config";
import { Replay } from "./Replay";
import { ResendChosen } from "./ResendChosen";
import { TimeFilter } from "../../parts/TimeFilter";
import { Waiting } from "./Waiting";

type Delivery = Schemas["DeliveryBody"];

/** What a status that is filtered by means. */
const NOTES = { ...STATES, ...OVERLAPS };
const STATUSES: [value: string, word: string, note?: string][] = ["PENDING", "RETRYING", "HELD", "DELIVERED", "FAILED", "PAUSED", "SUPERSEDED"]
  .map((name) => [name, WAITS[name]?.word ?? word(name), NOTES[name]]);
/** What the API takes as a status of HTTP; what is typed on the way there is not asked for. */
const HTTP_STATUS = /^[1-5](\d\d|xx)$/i;
const FILTERS = ["status", "event", "identity", "httpStatus", "errorClass", "error", "from", "to"] as const;

const COLUMNS: Column<Delivery>[] = [
  {
    title: "Time",
    sort: "createdAt",
    cell: ({ id, createdAt }) => <PageLink to="/deliveries/$id" params={{ id: String(id) }}><Time at={createdAt} /></PageLink>,
  },
  { title: "Event", cell: ({ event }) => word(event) },
  { title: "Identity", cell: (delivery) => <div className="clip" style={{ maxWidth: 140 }}><About delivery={delivery} /></div> },
  { title: "Status", cell: (delivery) => <Progress delivery={delivery} /> },
  { title: "Last error", cell: (delivery) => <LastError delivery={delivery} /> },
  { title: "HTTP", cell: ({ httpStatus }) => <span className="numbers">{httpStatus ?? "–"}</span> },
];

/** How far it has come, and when it goes on. */
function Progress({ delivery }: { delivery: Delivery }) {
  const { attemptCount, nextAttemptAt, waitsFor, errorClass } = delivery;
  return (
    <>
      <DeliveryStatus delivery={delivery} />
      <Text fz="xs" c="dimmed" className="numbers">
        {waitsFor === "HELD" && errorClass && "failed so far, "}{counted(attemptCount, "attempt")}{nextAttemptAt && <>, next <Time at={nextAttemptAt} isAhead /></>}
      </Text>
    </>
  );
}

/** What kind of error it was, and its own words. */
function LastError({ delivery: { errorClass, errorMessage } }: { delivery: Delivery }) {
  if (!errorClass) return <>–</>;
  const kind = ERRORS[errorClass] ?? word(errorClass);
  return (
    <div style={{ maxWidth: 190, minWidth: 120 }}>
      <div className="clip" title={kind}>{kind}</div>
      {errorMessage && <Text fz="xs" c="dimmed" className="clip" title={errorMessage}>{errorMessage}</Text>}
    </div>
  );
}

export function DeliveryLog({ channel }: { channel: Channel }) {
  const [search] = usePageSearch();
  const { manage } = useMay();
  const { status, event, identity, errorClass, error, from, to, sort, order } = search;
  const httpStatus = HTTP_STATUS.test(search.httpStatus ?? "") ? search.httpStatus : undefined;
  const filter = { status, event, identity, httpStatus, errorClass, error, from, to };
  const query = { ...filter, sort, order: order as "ASC" | "DESC" | undefined, pageNumber: Number(search.pageNumber ?? 0) };
  const deliveries = $api.useQuery("get", "/api/channels/{id}/deliveries", { params: { path: { id: channel.id }, query } }, { placeholderData: keepPreviousData });
  const [chosen, choose] = useState<ReadonlySet<string | number>>(new Set());
  // Whoever looks at other deliveries has not chosen them.
  const shown = JSON.stringify(query);
  useEffect(() => {
    choose(new Set());
  }, [shown]);
  return (
    <Panel title="Delivery log" actions={manage && <Replay channel={channel} />}>
      <LogFilters />
      {manage && <ResendChosen chosen={chosen} onDone={() => choose(new Set())} />}
      <Answer of={deliveries} lines={10}>
        {(page) => (
          <ListTable
            label="Deliveries"
            page={page}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            href={({ id }) => `/deliveries/${id}`}
            isWaiting={deliveries.isPlaceholderData}
            {...(manage ? { choice: { chosen, onChange: choose, label: ({ id, event }: Delivery) => `Choose ${word(event)}, delivery id ${id}` } } : {})}
            empty={Object.values(filter).some(Boolean) ? <Empty title="No matching deliveries">{status && <Waiting channel={channel} filter={filter} />}</Empty> : <Nothing channel={channel} />}
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
      here, with every attempt to send it; of escalations, those of rules that name the channel. A test makes one at once.
    </Empty>
  );
}

function LogFilters() {
  const [search, change] = usePageSearch();
  const types = $api.useQuery("get", "/api/event-types", undefined, { staleTime: Infinity });
  const isFiltered = FILTERS.some((name) => search[name]);
  const note = search.status && NOTES[search.status];
  return (
    <>
      <Group gap="xs" role="search" aria-label="Filters" className="filters">
        <ChoiceFilter name="status" label="Any status" options={STATUSES} />
        <ChoiceFilter name="event" label="Any event" options={(types.data ?? []).map(({ name }) => [name, word(name)])} />
        <TextFilter name="httpStatus" label="HTTP status" placeholder="503 or 5xx" accepts={HTTP_STATUS} hint="503 or 5xx" w={110} />
        <ChoiceFilter name="errorClass" label="Any error" options={Object.entries(ERRORS)} />
        <TextFilter name="error" label="Text of the error" w={170} />
        <TextFilter name="identity" label="Identity id" w={170} />
        <TimeFilter name="from" label="From" />
        <TimeFilter name="to" label="To" />
        {isFiltered && <Button size="sm" variant="subtle" onClick={() => change(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}>Clear filters</Button>}
        {types.error ? <Text c="dimmed" fz="sm">The event types could not be read.</Text> : null}
      </Group>
      {note && <Text c="dimmed" fz="sm">{note}</Text>}
    </>
  );
}

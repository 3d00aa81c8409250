// What an identity has done, newest first, day by day.

import { Button, Group, Text } from "@mantine/core";
import { Fragment } from "react";
import { $api, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { DeviceLink } from "../../parts/Columns";
import { pretty, Source } from "../../parts/Copy";
import { PageLink } from "../../parts/PageLink";
import { formatted } from "../../app/preferences";
import { visibleId } from "../../app/visible";
import { word } from "../../parts/score";
import { exactTime, Time } from "../../parts/Time";
import classes from "./Identity.module.css";

type Event = Schemas["TrackedEventBody"];

/** Events that come at once. */
const PAGE = 50;

/** The newest events; more by `fetchNextPage`. */
function useEvents(id: string) {
  return $api.useInfiniteQuery("get", "/api/events", { params: { query: { identity: id, pageSize: PAGE } } }, {
    pageParamName: "pageNumber",
    initialPageParam: 0,
    getNextPageParam: (page: Schemas["Page_TrackedEventBody"] | undefined) => (!page || page.last ? undefined : page.pageNumber + 1),
  });
}

/** Says what is not shown, since it is no longer kept. */
function Forgotten({ knownSince }: { knownSince: string }) {
  const until = $api.useQuery("get", "/api/retention").data?.events.forgottenUntil;
  if (!until || knownSince > until) return null;
  return <Text fz="sm" c="dimmed" mb="sm">Events that arrived up to <Time at={until} /> are no longer kept. What they told stays in the scores.</Text>;
}

export function Timeline({ id, knownSince }: { id: string; knownSince: string }) {
  const events = useEvents(id);
  return (
    <>
      <Forgotten knownSince={knownSince} />
      <Answer of={events} lines={10}>
        {({ pages }) => {
          // What has happened between two answers moves the others on, so that some come twice.
          const found = new Map(pages.flatMap((page) => page?.content ?? []).map((event) => [event.id, event]));
          if (found.size === 0) return <div className="panel"><Empty title="No events">Events of this identity appear here as they arrive.</Empty></div>;
          return (
            <div className="panel" style={{ padding: "0 1rem 1rem" }}>
              <Days events={[...found.values()]} />
              <Group gap="sm" mt="sm">
                {events.hasNextPage && <Button size="xs" variant="default" loading={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>Load more</Button>}
                <PageLink to="/events" search={{ identity: id } as never} fz="sm">Search and filter these events</PageLink>
              </Group>
            </div>
          );
        }}
      </Answer>
    </>
  );
}

function Days({ events }: { events: Event[] }) {
  const days = events.map(({ timestamp }) => formatted(timestamp, { dateStyle: "full" }));
  return (
    <ol className={classes.timeline} aria-label="Events, newest first">
      {events.map((event, index) => (
        <Fragment key={event.id}>
          {days[index] !== days[index - 1] && <li data-day>{days[index]}</li>}
          <EventRow event={event} />
        </Fragment>
      ))}
    </ol>
  );
}

function EventRow({ event }: { event: Event }) {
  const { id, timestamp, eventName, canonicalType, groups, eventData } = event;
  return (
    <li>
      <time dateTime={timestamp} title={exactTime(timestamp)} className="numbers">{formatted(timestamp, { timeStyle: "medium" })}</time>
      <div>
        <Group gap="xs">
          <PageLink to="/events/$id" params={{ id }} fw={600} className="break">{eventName}</PageLink>
          {canonicalType && <Chip>{word(canonicalType)}</Chip>}
          {groups.map((group) => (
            <PageLink key={group.type} to="/groups/$type/$id" params={{ type: group.type, id: group.id }} fz="sm" className="break">{group.label}</PageLink>
          ))}
        </Group>
        <Trail event={event} />
        {Object.keys(eventData).length > 0 && (
          <details className={classes.more}>
            <summary>Data</summary>
            <Source text={pretty(eventData)} label={`the data of ${eventName}`} />
          </details>
        )}
      </div>
    </li>
  );
}

/** Where an event came from. */
function Trail({ event: { eventSource, ip, fingerprint, session, url } }: { event: Event }) {
  return (
    <div className={classes.trail}>
      {eventSource && <span>from {eventSource}</span>}
      {ip && <span className="mono">{ip}</span>}
      {fingerprint && <span>device <DeviceLink fingerprint={fingerprint} /></span>}
      {session && <span>session <PageLink to="/events" search={{ session } as never} fz="sm" className="mono">{visibleId(session).slice(0, 20)}</PageLink></span>}
      {url && <Text span fz="sm" c="dimmed" className="mono">{url}</Text>}
    </div>
  );
}

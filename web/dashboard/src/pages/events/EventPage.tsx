// One event, as it was stored.

import { useParams } from "@tanstack/react-router";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { DeviceLink } from "../../parts/Columns";
import { Copy, pretty, Source } from "../../parts/Copy";
import { Facts, Page, Panel } from "../../parts/Page";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { exactTime, Time } from "../../parts/Time";

type Event = Schemas["TrackedEventBody"];

export function EventPage() {
  const { id = "" } = useParams({ strict: false });
  const event = $api.useQuery("get", "/api/events/{id}", { params: { path: { id } } });
  return (
    <Page title={event.data?.eventName ?? "Event"}>
      <Answer of={event} lines={8}>
        {(event) => (
          <>
            <Panel><About event={event} /></Panel>
            <Panel title="Data" note="Passwords, tokens, card numbers and other secrets were redacted before storage.">
              <Source text={pretty(event.eventData)} label="data" />
            </Panel>
          </>
        )}
      </Answer>
    </Page>
  );
}

function About({ event }: { event: Event }) {
  const { id, timestamp, identity, groups, fingerprint, session, ip, url, userAgent, eventSource, canonicalType } = event;
  return (
    <Facts
      facts={[
        ["Time", <>{exactTime(timestamp)} (<Time at={timestamp} />)</>],
        ["Canonical type", canonicalType ? <Chip>{word(canonicalType)}</Chip> : <>not mapped: <PageLink to="/settings/mappings">add a mapping</PageLink></>],
        ["Identity", identity && <IdentityLink id={identity.id} name={identity.label} />],
        ["Groups", groups.length > 0 && groups.map((group) => (
          <span key={group.path}>{word(group.type)} <PageLink to="/groups/$type/$id" params={{ type: group.type, id: group.id }}>{group.label}</PageLink> </span>
        ))],
        ["Device", fingerprint && <><DeviceLink fingerprint={fingerprint} /> <Copy text={fingerprint} label="fingerprint" /></>],
        ["Session", session && <><span className="mono">{session}</span> <PageLink to="/events" search={{ session } as never}>events of this session</PageLink></>],
        ["IP address", ip && <span className="mono">{ip}</span>],
        ["User agent", userAgent && <span className="mono">{userAgent}</span>],
        ["Page", url && <span className="mono">{url}</span>],
        ["Source", eventSource],
        ["Id", <><span className="mono">{id}</span> <Copy text={id} label="id" /></>],
      ]}
    />
  );
}

// One event, as it was stored.

import { Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { $api, type Schemas } from "../../api";
import { visibleId } from "../../app/visible";
import { agentWords } from "../../parts/agent";
import { Answer } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { DeviceLink } from "../../parts/Columns";
import { Copy, pretty, Source } from "../../parts/Copy";
import { Facts, Page, Panel } from "../../parts/Page";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { Moment } from "../../parts/Time";

type Event = Schemas["WholeEventBody"];

/** What the events that dregs.js sends by itself say. */
const OWN: Record<string, string> = {
  dregs_init: "dregs.js has started on a page, and reported the device",
  dregs_identify: "the page said who is signed in",
};

export function EventPage() {
  const { id = "" } = useParams({ strict: false });
  const event = $api.useQuery("get", "/api/events/{id}", { params: { path: { id } } });
  return (
    <Page title={event.data?.eventName ?? "Event"}>
      <Answer of={event} lines={8}>
        {(event) => (
          <>
            <Panel><About event={event} /></Panel>
            <Sent event={event} />
          </>
        )}
      </Answer>
    </Page>
  );
}

/** What was sent, part by part; an event may have none of them. */
function Sent({ event: { eventData, identityData, components, interaction } }: { event: Event }) {
  const parts: [title: string, value: object | null | undefined, note?: string][] = [
    ["Data", eventData, "Passwords, tokens, card numbers and the like were taken out before it was stored."],
    ["Data of the identity", identityData, "It was merged into the identity."],
    ["Device, as dregs.js saw it", components, "The fingerprint is made of those components that do not change on one device."],
    ["How the page was operated", interaction, "Since the event before: counts and rhythms, never contents."],
  ];
  const shown = parts.filter(([, value]) => value && Object.keys(value).length > 0);
  if (shown.length === 0) return <Panel title="Data"><Text c="dimmed" fz="sm">It was sent without any.</Text></Panel>;
  return shown.map(([title, value, note]) => <Panel key={title} title={title} note={note}><Source text={pretty(value)} label={title.toLowerCase()} /></Panel>);
}

function About({ event }: { event: Event }) {
  const { id, timestamp, eventName, identity, groups, fingerprint, session, ip, url, userAgent, agent, eventSource, canonicalType } = event;
  return (
    <Facts
      facts={[
        ["Time", <Moment at={timestamp} />],
        ["Canonical type", canonicalType ? <Chip>{word(canonicalType)}</Chip> : OWN[eventName] ?? <>not mapped: <PageLink to="/settings/mappings">add a mapping</PageLink></>],
        ["Identity", identity && <IdentityLink id={identity.id} name={identity.label} />],
        ["Groups", groups.length > 0 && groups.map((group) => (
          <span key={group.path}>{word(group.type)} <PageLink to="/groups/$type/$id" params={{ type: group.type, id: group.id }}>{group.label}</PageLink> </span>
        ))],
        ["Device", fingerprint && <><DeviceLink fingerprint={fingerprint} /> <Copy text={fingerprint} label="fingerprint" /></>],
        ["Session", session && <><span className="mono">{visibleId(session)}</span> <PageLink to="/events" search={{ session } as never}>events of this session</PageLink></>],
        ["IP address", ip && <span className="mono">{ip}</span>],
        ["User agent", userAgent && <span className="mono">{userAgent}</span>],
        ["Agent", agent && agentWords(agent)],
        ["Page", url && <span className="mono">{url}</span>],
        ["Source", eventSource],
        ["Id", <><span className="mono">{visibleId(id)}</span> <Copy text={id} label="id" /></>],
      ]}
    />
  );
}

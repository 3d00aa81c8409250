// Whom the server tells what happens, and whether they hear it.

import { Group, Text } from "@mantine/core";
import { $api } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { whole } from "../settings/whole";
import { target, TYPES, type Channel } from "./config";
import { HealthChip, HealthWords } from "./Health";
import { NewChannel } from "./NewChannel";

const COLUMNS: Column<Channel>[] = [
  {
    title: "Name",
    cell: (channel) => (
      <>
        <PageLink to="/settings/channels/$id" params={{ id: String(channel.id) }} fw={500} className="break">{channel.name}</PageLink>
        <Text c="dimmed" fz="xs" className="clip" maw={260}>{target(channel)}</Text>
      </>
    ),
  },
  { title: "Type", cell: (channel) => TYPES.find(({ value }) => value === channel.type)?.label ?? word(channel.type) },
  { title: "Subscribed events", cell: (channel) => <EventChips events={channel.events} /> },
  { title: "Enabled", cell: (channel) => (channel.enabled ? "Yes" : "No") },
  {
    title: "Health",
    cell: (channel) => (
      <Group gap="xs" miw={220}>
        <HealthChip channel={channel} />
        <Text fz="sm" c="dimmed" className="break" component="span"><HealthWords channel={channel} /></Text>
      </Group>
    ),
  },
];

function EventChips({ events }: { events: string[] }) {
  if (events.length === 0) return <Text c="dimmed" fz="sm">none</Text>;
  return <Group gap={4}>{events.map((event) => <Chip key={event}>{word(event)}</Chip>)}</Group>;
}

export function ChannelList() {
  const channels = $api.useQuery("get", "/api/channels");
  const { manage } = useMay();
  return (
    <Page title="Channels" mayNot={useMayNot("manage", "create and change channels")} actions={manage && <NewChannel />}>
      <Answer of={channels}>
        {(all) => (
          <ListTable
            label="Channels"
            page={whole(all)}
            columns={COLUMNS}
            rowKey={(channel) => channel.id}
            href={(channel) => `/settings/channels/${channel.id}`}
            empty={
              <Empty title="No channels yet">
                A channel delivers events, such as a new score, a badge or an escalation, to your endpoint as a signed webhook, by e-mail, or to Slack.
              </Empty>
            }
          />
        )}
      </Answer>
    </Page>
  );
}

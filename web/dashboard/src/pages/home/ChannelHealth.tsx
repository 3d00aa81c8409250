import { Group, Stack, Text } from "@mantine/core";
import { $api } from "../../api";
import { Answer } from "../../parts/Answer";
import { StatusChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";

/** Whether those who want to know are told. */
export function ChannelHealth() {
  const channels = $api.useQuery("get", "/api/channels");
  return (
    <Panel title="Channels" actions={<PageLink to="/settings/channels" fz="sm">All channels</PageLink>}>
      <Answer of={channels}>
        {(all) => all.length === 0 ? <Text c="dimmed">No channels yet. A channel delivers events to your application, by e-mail or to Slack.</Text> : (
          <Stack gap={6}>
            {all.map((channel) => (
              <Group key={channel.id} gap="2px 12px">
                <StatusChip status={channel.enabled ? channel.health.status : "DISABLED"} />
                <PageLink to="/settings/channels/$id" params={{ id: String(channel.id) }} className="break" miw={0}>{channel.name}</PageLink>
                <Text c="dimmed" fz="sm">{word(channel.type)}</Text>
                {channel.health.lastError && <Text c="dimmed" fz="sm" w="100%" className="break">{channel.health.lastError}</Text>}
              </Group>
            ))}
          </Stack>
        )}
      </Answer>
    </Panel>
  );
}

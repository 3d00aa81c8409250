import { Stack, Text } from "@mantine/core";
import { $api } from "../../api";
import { sentence } from "../../fields";
import { Answer } from "../../parts/Answer";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { HealthChip } from "../channels/Health";
import classes from "./Home.module.css";

/** Whether those who want to know are told. */
export function ChannelHealth() {
  const channels = $api.useQuery("get", "/api/channels");
  return (
    <Panel title="Channels" actions={<PageLink to="/settings/channels" fz="sm">All channels</PageLink>}>
      <Answer of={channels}>
        {(all) => all.length === 0 ? <Text c="dimmed">No channels yet. A channel delivers events to your application, by e-mail or to Slack.</Text> : (
          <Stack gap={6}>
            {all.map((channel) => (
              <div key={channel.id} className={classes.row}>
                <HealthChip channel={channel} />
                <div>
                  <PageLink to="/settings/channels/$id" params={{ id: String(channel.id) }} className="break">{channel.name}</PageLink>
                  {channel.health.lastError && <Text c="dimmed" fz="sm" className="break">{sentence(channel.health.lastError)}</Text>}
                </div>
                <Text c="dimmed" fz="sm">{word(channel.type)}</Text>
              </div>
            ))}
          </Stack>
        )}
      </Answer>
    </Panel>
  );
}

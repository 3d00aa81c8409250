// How a channel is doing, in words.

import { Progress, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { sentence } from "../../fields";
import { Chip, StatusChip } from "../../parts/Chip";
import { Facts } from "../../parts/Page";
import { lasting, Time } from "../../parts/Time";
import type { Channel } from "./config";

/** What has been due for so long is not only on its way. */
const BEHIND_MIN_MS = 30_000;

/** Since when a channel has been behind with what it sends, where it is, though its endpoint works. */
export function behindSince({ enabled, health: { dueSince, status, failures } }: Channel): string | undefined {
  if (!enabled || !dueSince || status !== "HEALTHY" || failures > 0) return undefined;
  return Date.now() - Date.parse(dueSince) > BEHIND_MIN_MS ? dueSince : undefined;
}

/** The state of a channel for a chip: what is disabled is no longer healthy or failing. */
export function HealthChip({ channel }: { channel: Channel }) {
  if (channel.enabled && channel.events.length === 0) return <Chip tone={1}>No events</Chip>;
  // What has failed once is tried again, and mostly that is all.
  if (channel.enabled && channel.health.failures === 1) return <Chip tone={2}>Last attempt failed</Chip>;
  const since = behindSince(channel);
  if (since) return <Chip tone={1}>Behind by {lasting(Date.now() - Date.parse(since))}</Chip>;
  return <StatusChip status={channel.enabled ? channel.health.status : "DISABLED"} />;
}

const BEHIND = "The endpoint is slow, or the concurrent requests or requests per second of the channel are too few.";

/** One sentence for lists. */
export function HealthWords({ channel }: { channel: Channel }) {
  const { status, failures, resumesAt, lastError, disabledReason } = channel.health;
  if (!channel.enabled) return <>{disabledReason ?? "Deliveries are paused until it is enabled again."}</>;
  if (channel.events.length === 0) return <>It is subscribed to no event.</>;
  if (behindSince(channel)) return <>More is to be sent than arrives. {BEHIND}</>;
  if (status === "HEALTHY") return null;
  return (
    <>
      {failures === 1 ? "The last attempt failed" : `${failures} attempts in a row failed`}{lastError && `: ${lastError.replace(/\.$/, "")}`}.
      {resumesAt && <> Next attempt: <Time at={resumesAt} isAhead /></>}
    </>
  );
}

export function Health({ channel }: { channel: Channel }) {
  const { failures, failingSince, resumesAt, lastError, disablePercent, disabledReason } = channel.health;
  const since = behindSince(channel);
  const facts: [string, ReactNode][] = [
    ["Status", <HealthChip channel={channel} />],
    ["Consecutive failures", failures],
  ];
  if (since) facts.push(["Oldest due", <><Time at={since} />. {BEHIND}</>]);
  if (failingSince) facts.push(["Failing since", <Time at={failingSince} />]);
  if (lastError) facts.push(["Last error", sentence(lastError)]);
  if (resumesAt) facts.push(["Held until", <><Time at={resumesAt} isAhead />, then one attempt at a time</>]);
  if (disabledReason) facts.push(["Reason for disabling", disabledReason]);
  return (
    <Stack gap="sm">
      <Facts facts={facts} />
      {disablePercent > 0 && (
        <div>
          <Text fz="sm">{disablePercent}% of the time until the server disables it.</Text>
          <Progress value={disablePercent} color="orange" mt={4} aria-label="Time until it is disabled" />
        </div>
      )}
    </Stack>
  );
}

// What a change of a mapping or a dataset concerns: how many events, how many identities are rescored, and what that sends.

import { Text } from "@mantine/core";
import { $api } from "../../api";
import type { ComponentProps } from "react";
import { Answer } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import type { Kind } from "./mapping";

/** Whether there is something in it that a mapping could have. */
export function isName(source: string): boolean {
  return /[\p{L}\p{N}]/u.test(source);
}

/** Asked for once, when a name is about to be changed. */
export function useConcerned(kind: Kind, source: string) {
  return $api.useQuery("post", "/api/mappings/actions/preview", { body: { kind, source } }, { enabled: isName(source), gcTime: 0, staleTime: Infinity });
}

interface Found {
  /** Of those looked at. */
  identities: number;
  lookedAt: number;
  total: number;
  channels: string[];
  /** Where it is a name of events. */
  eventCount?: number | null;
  eventCountIsExact?: boolean;
}

export function Concerned({ of }: Pick<ComponentProps<typeof Answer<Found>>, "of">) {
  return <Answer of={of} lines={2}>{(found) => <ConcernedWords found={found} />}</Answer>;
}

export function ConcernedWords({ found: { identities, lookedAt, total, channels, eventCount, eventCountIsExact } }: { found: Found }) {
  const { data: all } = $api.useQuery("get", "/api/channels");
  const nameOf = (slug: string) => all?.find((channel) => channel.slug === slug)?.name ?? slug;
  const events = eventCount != null && `${eventCountIsExact ? "" : "More than "}${counted(eventCount, "event")} ${eventCount === 1 ? "has" : "have"} this name. `;
  const isAll = lookedAt >= total;
  const count = isAll ? identities : Math.round((identities / Math.max(lookedAt, 1)) * total);
  const who = total === 1 ? "the only identity" : `${isAll ? "" : "about "}${count.toLocaleString("en")} of ${counted(total, "identity", "identities")}`;
  if (identities === 0) return <Text fz="sm" role="status">{events}No identity is rescored{isAll ? "." : `, of the newest ${lookedAt.toLocaleString("en")}.`}</Text>;
  return (
    <Text fz="sm" role="status">
      {events}<strong>Rescores {who}.</strong>{" "}
      {channels.length > 0
        ? `Each rescoring is sent to ${channels.map(nameOf).join(", ")} (subscribed to identity.scored), unless a channel's own conditions leave it out. `
        : "No enabled channel is subscribed to identity.scored. "}
      Badges and escalations follow the new scores.
    </Text>
  );
}

// Whom a change of a mapping concerns: how many are rescored, and what that sends.

import { Text } from "@mantine/core";
import { $api } from "../../api";
import { Answer } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import type { Kind } from "./mapping";

/** Asked for once, when a name is about to be changed. */
export function useConcerned(kind: Kind, source: string) {
  const isName = /[\p{L}\p{N}]/u.test(source);
  return $api.useQuery("post", "/api/mappings/actions/preview", { body: { kind, source } }, { enabled: isName, gcTime: 0, staleTime: Infinity });
}

export function Concerned({ of }: { of: ReturnType<typeof useConcerned> }) {
  return (
    <Answer of={of} lines={2}>
      {({ identities, lookedAt, total, channels }) => {
        const isAll = lookedAt >= total;
        const count = isAll ? identities : Math.round((identities / Math.max(lookedAt, 1)) * total);
        const who = total === 1 ? "the only identity" : `${isAll ? "" : "about "}${count.toLocaleString("en")} of ${counted(total, "identity", "identities")}`;
        if (identities === 0) return <Text fz="sm" role="status">No identity is rescored{isAll ? "." : `, of the newest ${lookedAt.toLocaleString("en")}.`}</Text>;
        return (
          <Text fz="sm" role="status">
            <strong>Rescores {who}.</strong>{" "}
            {channels.length > 0
              ? `Each rescoring is sent to ${channels.join(", ")} (subscribed to identity.scored). `
              : "No enabled channel is subscribed to identity.scored. "}
            Badges and escalations follow the new scores.
          </Text>
        );
      }}
    </Answer>
  );
}

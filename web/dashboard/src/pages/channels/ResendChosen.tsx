// Sends chosen deliveries again.

import { Button, Group, Text } from "@mantine/core";
import { $api, queries, refresh, tell, type Schemas } from "../../api";
import { tellSent } from "./waits";

/** Nothing while nothing is chosen. */
export function ResendChosen({ chosen, onDone }: { chosen: ReadonlySet<string | number>; onDone: () => void }) {
  const resend = $api.useMutation("post", "/api/deliveries/actions/resend", {
    onSuccess: async (answer) => {
      onDone();
      const [id] = answer.queued;
      if (id === undefined) tell(outcome(answer));
      // They are of one channel, and wait alike.
      else tellSent(outcome(answer), await queries.fetchQuery({ ...$api.queryOptions("get", "/api/deliveries/{id}", { params: { path: { id } } }), staleTime: 0 }));
      await refresh("/api/deliveries", "/api/channels");
    },
  });
  if (chosen.size === 0) return null;
  return (
    <Group gap="sm" role="region" aria-label="Chosen deliveries">
      <Text fz="sm" role="status">{chosen.size} chosen</Text>
      <Button size="xs" loading={resend.isPending} onClick={() => resend.mutate({ body: { ids: [...chosen].map(Number) } })}>Send them again</Button>
      <Button size="xs" variant="subtle" onClick={onDone}>Choose none</Button>
    </Group>
  );
}

function outcome({ queued, underWay, unknown }: Schemas["ResendAnswer"]): string {
  const parts = [
    `${queued.length} queued, with the same event ids.`,
    underWay.length > 0 && `${underWay.length} left out: an attempt is under way.`,
    unknown.length > 0 && `${unknown.length} left out: removed meanwhile.`,
  ];
  return parts.filter(Boolean).join(" ");
}

// Sends chosen deliveries again.

import { Button, Group, Text } from "@mantine/core";
import { $api, refresh, tell, type Schemas } from "../../api";

/** Nothing while nothing is chosen. */
export function ResendChosen({ chosen, onDone }: { chosen: ReadonlySet<string | number>; onDone: () => void }) {
  const resend = $api.useMutation("post", "/api/deliveries/actions/resend", {
    onSuccess: async (answer) => {
      tell(outcome(answer));
      onDone();
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

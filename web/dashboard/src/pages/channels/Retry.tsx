// Ends the wait of a channel that fails: whoever has mended its endpoint need not wait for the next attempt.

import { Button } from "@mantine/core";
import { $api, refresh, tell } from "../../api";
import type { Channel } from "./config";

export function Retry({ channel }: { channel: Channel }) {
  const retry = $api.useMutation("post", "/api/channels/{id}/actions/retry", {
    onSuccess: async () => {
      tell("What waits is tried again now.");
      await refresh("/api/channels");
    },
  });
  if (!channel.enabled || channel.health.status !== "FAILING") return null;
  return (
    <Button size="xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate({ params: { path: { id: channel.id } } })}>
      Retry now
    </Button>
  );
}

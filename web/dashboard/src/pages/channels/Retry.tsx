// Ends the wait of a channel that fails: whoever has mended its endpoint need not wait for the next attempt.

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { api, refresh, tell } from "../../api";
import type { Channel } from "./config";

export const RETRY = "Retry now";

export async function retryNow(id: number): Promise<void> {
  const { error } = await api.POST("/api/channels/{id}/actions/retry", { params: { path: { id } } });
  if (error) throw error;
  tell("One delivery is tried now. If it arrives, all that wait follow.");
  await refresh("/api/channels", "/api/deliveries");
}

export function Retry({ channel }: { channel: Channel }) {
  const retry = useMutation({ mutationFn: () => retryNow(channel.id) });
  if (!channel.enabled || channel.health.status !== "FAILING") return null;
  return <Button size="xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate()}>{RETRY}</Button>;
}

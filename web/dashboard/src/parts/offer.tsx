// Says what has happened, beside a button for what can be done about it.

import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { tellError } from "../api";

/** How long a way back is offered. */
export const OFFER_MS = 20_000;

export function offer(message: string, action: string, act: () => Promise<void>): void {
  const id = `offer ${Date.now()}`;
  const take = () => {
    notifications.hide(id);
    act().catch(tellError);
  };
  const shown = (
    <Group justify="space-between" gap="sm" wrap="nowrap">
      <Text fz="sm" className="break">{message}</Text>
      <Button size="xs" variant="default" flex="none" onClick={take}>{action}</Button>
    </Group>
  );
  notifications.show({ id, message: shown, autoClose: OFFER_MS });
}

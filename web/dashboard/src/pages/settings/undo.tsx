// Says that something was changed, with a way back for a while.

import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { tell, tellError } from "../../api";

const UNDO_MS = 20_000;

export function tellChanged(message: string, undo: () => Promise<void>): void {
  const id = `changed ${Date.now()}`;
  const back = () => {
    notifications.hide(id);
    undo().then(() => tell("Undone."), tellError);
  };
  const shown = (
    <Group justify="space-between" gap="sm" wrap="nowrap">
      <Text fz="sm" className="break">{message}</Text>
      <Button size="xs" variant="default" flex="none" onClick={back}>Undo</Button>
    </Group>
  );
  notifications.show({ id, message: shown, autoClose: UNDO_MS });
}

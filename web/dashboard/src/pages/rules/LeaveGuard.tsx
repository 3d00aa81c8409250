// Asks before changes are left behind that are not saved.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";

export function LeaveGuard({ isDirty }: { isDirty: boolean }) {
  const blocker = useBlocker({ shouldBlockFn: () => isDirty, enableBeforeUnload: isDirty, withResolver: true });
  return (
    <Modal opened={blocker.status === "blocked"} onClose={() => blocker.reset?.()} title="Leave without saving?">
      <Stack>
        <Text fz="sm">What you have changed here is not saved.</Text>
        <Group justify="flex-end" gap="xs" className="buttons">
          <Button variant="default" data-autofocus onClick={() => blocker.reset?.()}>Stay</Button>
          <Button color="red" onClick={() => blocker.proceed?.()}>Leave</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

// Removes a badge rule; asks again when escalation rules name its badge.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { $api, asApiError, tellError } from "../../api";
import { Confirm } from "../../parts/Confirm";
import { useDone } from "./Editor";
import type { BadgeRule } from "./rules";

export function RemoveBadgeRule({ rule }: { rule: BadgeRule }) {
  const done = useDone("/api/badge-rules");
  const remove = $api.useMutation("delete", "/api/badge-rules/{id}", {
    onSuccess: () => done(`${rule.name} is removed.`),
    onError: (error) => !isInUse(error) && tellError(error),
  });
  const go = (force: boolean) => remove.mutate({ params: { path: { id: rule.id }, query: { force } } });
  return (
    <>
      <Confirm action="Remove" question={`Remove the rule “${rule.name}”?`} color="red" variant="subtle" loading={remove.isPending} onConfirm={() => go(false)}>
        Its badge goes from everybody who carries it.
      </Confirm>
      <Modal opened={isInUse(remove.error)} onClose={remove.reset} title="This badge is in use">
        <Stack>
          <Text fz="sm">{asApiError(remove.error)?.message.replace(/ Change them.*$/, "")}</Text>
          <Text fz="sm">Without the badge, conditions that ask for it never hold, and those that ask for its absence always do.</Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" data-autofocus onClick={remove.reset}>Cancel</Button>
            <Button color="red" onClick={() => go(true)}>Remove it all the same</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

function isInUse(error: unknown): boolean {
  return asApiError(error)?.code === "badge_in_use";
}

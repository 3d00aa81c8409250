// Removes a badge rule; asks again when escalation rules name its badge.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { $api, asApiError, tellError } from "../../api";
import { Confirm } from "../../parts/Confirm";
import { useDone } from "./Editor";
import type { BadgeRule } from "./rules";

export function RemoveBadgeRule({ rule }: { rule: BadgeRule }) {
  const done = useDone("/api/badge-rules");
  const remove = $api.useMutation("delete", "/api/badge-rules/{id}", {
    onSuccess: () => done(`${rule.name} is deleted.`),
    onError: (error) => !isInUse(error) && tellError(error),
  });
  const go = (force: boolean) => remove.mutate({ params: { path: { id: rule.id }, query: { force } } });
  return (
    <>
      <Confirm action="Delete" question={`Delete the rule “${rule.name}”?`} loading={remove.isPending} onConfirm={() => go(false)}>
        Its badge is removed from every identity.
      </Confirm>
      <Modal opened={isInUse(remove.error)} onClose={remove.reset} title="This badge is in use">
        <Stack>
          <Text fz="sm">{asApiError(remove.error)?.message.replace(/ Change them.*$/, "")}</Text>
          <Text fz="sm">Without the badge, conditions that require it never hold, and conditions that require its absence always hold.</Text>
          <Group justify="flex-end" gap="xs" className="buttons">
            <Button variant="default" data-autofocus onClick={remove.reset}>Cancel</Button>
            <Button color="red" onClick={() => go(true)}>Delete anyway</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

function isInUse(error: unknown): boolean {
  return asApiError(error)?.code === "badge_in_use";
}

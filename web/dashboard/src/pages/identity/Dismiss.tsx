// Takes a badge off an identity until something new speaks for it, and gives it back.

import { Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Failure } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Time } from "../../parts/Time";
import { CONFIRMED_BAD } from "../labels/words";

export const REASON_MAX_CHARS = 1_000;
/** What dismissing means, wherever it is offered. */
const DISMISSED = "A dismissed badge stays off until new or stronger evidence appears, or its rule is changed. Scores stay as they are.";

export function Dismiss({ id, badge }: { id: string; badge: Schemas["BadgeBody"] }) {
  const { triage } = useMay();
  const [isOpen, { open, close }] = useDisclosure(false);
  const form = useForm({ initialValues: { reason: "" } });
  const dismiss = $api.useMutation("post", "/api/identities/{id}/actions/dismiss-badge", {
    onError: () => {},
    onSuccess: async () => {
      close();
      form.reset();
      tell(`The badge “${badge.name}” is dismissed.`);
      await refresh("/api/identities");
    },
  });
  if (!triage || badge.slug === CONFIRMED_BAD) return null;
  const submit = form.onSubmit(({ reason }) => dismiss.mutate({ params: { path: { id } }, body: { badge: badge.slug, reason: reason.trim() || null } }));
  return (
    <>
      <Button size="compact-xs" variant="default" onClick={open} aria-label={`Dismiss ${badge.name}`}>Dismiss…</Button>
      <Modal opened={isOpen} onClose={close} title={`Dismiss “${badge.name}”?`}>
        <form onSubmit={submit}>
          <Stack>
            <Text fz="sm">The badge is removed now, and channels subscribed to badge changes are notified. {DISMISSED}</Text>
            <Reason {...form.getInputProps("reason")} />
            {dismiss.error && <Failure error={dismiss.error} />}
            <Group justify="flex-end" gap="xs" className="buttons">
              <Button variant="default" onClick={close}>Cancel</Button>
              <Button type="submit" loading={dismiss.isPending}>Dismiss</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

/** Why somebody does something, for those who look at it later. */
export function Reason(props: Record<string, unknown>) {
  return <Textarea label="Reason" description="Optional. Shown here and in the audit log." autosize minRows={2} maxLength={REASON_MAX_CHARS} data-autofocus {...props} />;
}

/** Badges that people have dismissed. */
export function DismissedBadges({ id, dismissed }: { id: string; dismissed: Schemas["DismissedBadgeBody"][] }) {
  const { triage } = useMay();
  const restore = $api.useMutation("post", "/api/identities/{id}/actions/restore-badge", {
    onSuccess: async () => {
      tell("The badge is restored if its conditions hold.");
      await refresh("/api/identities");
    },
  });
  if (dismissed.length === 0) return null;
  return (
    <Stack gap="xs" role="group" aria-label="Dismissed badges">
      <Text fz="sm" fw={600}>Dismissed</Text>
      {dismissed.map(({ slug, name, dismissedAt, dismissedBy, reason }) => (
        <div key={slug}>
          <Group gap="xs">
            <Chip>{name}</Chip>
            {triage && (
              <Button size="compact-xs" variant="default" aria-label={`Restore ${name}`} loading={restore.isPending} onClick={() => restore.mutate({ params: { path: { id } }, body: { badge: slug } })}>
                Restore
              </Button>
            )}
          </Group>
          <Text fz="sm" c="dimmed" mt={4} className="break"><Time at={dismissedAt} /> by {dismissedBy}{reason && `: ${reason}`}</Text>
        </div>
      ))}
    </Stack>
  );
}

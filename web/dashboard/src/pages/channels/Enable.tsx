// Disables a channel, and enables it again with a word about what waits.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { $api, refresh } from "../../api";
import { Failure } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import type { Channel } from "./config";

export function Enable({ channel }: { channel: Channel }) {
  return channel.enabled ? <Disable channel={channel} /> : <Resume channel={channel} />;
}

function useChange() {
  return $api.useMutation("patch", "/api/channels/{id}", { onSuccess: () => refresh("/api/channels", "/api/deliveries") });
}

function Disable({ channel }: { channel: Channel }) {
  const change = useChange();
  return (
    <Confirm
      action="Disable" question={`Disable ${channel.name}?`} loading={change.isPending}
      onConfirm={() => change.mutate({ params: { path: { id: channel.id } }, body: { enabled: false } })}
    >
      New deliveries are paused. When you enable the channel again, you choose whether to send or skip them.
    </Confirm>
  );
}

function Resume({ channel }: { channel: Channel }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const params = { path: { id: channel.id } };
  const waiting = $api.useQuery(
    "get", "/api/channels/{id}/deliveries", { params: { ...params, query: { status: "PAUSED", pageSize: 1 } } }, { enabled: isOpen },
  );
  const change = useChange();
  const resume = (onResume: "SEND" | "SKIP") => change.mutate({ params, body: { enabled: true, onResume } });
  const count = waiting.data && `${waiting.data.totalIsExact ? "" : "more than "}${waiting.data.totalElements.toLocaleString("en")}`;
  return (
    <>
      <Button size="xs" onClick={open}>Enable…</Button>
      <Modal opened={isOpen} onClose={close} title={`Enable ${channel.name}`}>
        <Stack>
          {waiting.error && <Failure error={waiting.error} />}
          <Text fz="sm" role="status">{count === undefined ? "Counting paused deliveries…" : `Paused deliveries: ${count}. Send or skip them?`}</Text>
          <Text fz="sm" c="dimmed">Skipped deliveries are marked as failed and can be replayed later.</Text>
          <Group justify="flex-end" gap="xs" className="buttons">
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button variant="default" loading={change.isPending} onClick={() => resume("SKIP")}>Enable and skip</Button>
            <Button loading={change.isPending} onClick={() => resume("SEND")}>Enable and send</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

// A new signing secret, shown this one time, while the old one goes on for as long as endpoints need.

import { Button, Group, Modal, NativeSelect, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { $api } from "../../api";
import { Failure } from "../../parts/Answer";
import { exactTime } from "../../parts/Time";
import { ShownOnce } from "../settings/ShownOnce";
import { SigningSecret } from "./Verify";

const OVERLAPS = [
  { value: "0", label: "Immediately" },
  { value: "3600", label: "After an hour" },
  { value: "86400", label: "After a day" },
  { value: "604800", label: "After seven days" },
];

export function RotateSecret({ channelId }: { channelId: number }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const [overlap, setOverlap] = useState("86400");
  const rotate = $api.useMutation("post", "/api/channels/{id}/actions/rotate-secret", { onError: () => {}, onSuccess: close });
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>Rotate secret…</Button>
      <Modal opened={isOpen} onClose={close} title="Rotate the signing secret">
        <Stack>
          <NativeSelect label="The old secret expires" data={OVERLAPS} value={overlap} onChange={(event) => setOverlap(event.currentTarget.value)} />
          <Text fz="sm">
            Until then <code className="mono">webhook-signature</code> has a signature by each secret. <code className="mono">X-Dregs-Signature</code> has
            one, by the new secret.
          </Text>
          {rotate.error && <Failure error={rotate.error} />}
          <Group justify="flex-end" gap="xs" className="buttons">
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button
              loading={rotate.isPending}
              onClick={() => rotate.mutate({ params: { path: { id: channelId } }, body: { overlapSeconds: Number(overlap) } })}
            >
              Rotate
            </Button>
          </Group>
        </Stack>
      </Modal>
      <ShownOnce isOpen={rotate.data !== undefined} title="New signing secret" onClose={rotate.reset}>
        {rotate.data && (
          <>
            <SigningSecret value={rotate.data.signingSecret} />
            {overlap !== "0" && <Text fz="sm">The old secret expires on {exactTime(rotate.data.overlapEndsAt)}.</Text>}
          </>
        )}
      </ShownOnce>
    </>
  );
}

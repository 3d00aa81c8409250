// Before a device is disregarded, or counted again: whose scores that changes, and what it sends.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Answer, Failure } from "../../parts/Answer";
import { ChangePreview } from "../../parts/ChangePreview";

type Device = Schemas["UsedDeviceBody"];

export function DisregardDevice({ device }: { device: Device }) {
  const { triage } = useMay();
  const [isOpen, { open, close }] = useDisclosure(false);
  if (!triage) return null;
  const action = device.disregarded ? "Stop disregarding" : "Disregard";
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>{action}…</Button>
      <Modal opened={isOpen} onClose={close} title={`${action} this device?`} size={1100}>
        <Question device={device} action={action} close={close} />
      </Modal>
    </>
  );
}

function Question({ device: { fingerprint, disregarded }, action, close }: { device: Device; action: string; close: () => void }) {
  const to = !disregarded;
  const params = { path: { fingerprint } };
  const preview = $api.useQuery(
    "post", "/api/devices/{fingerprint}/actions/preview-disregard", { params, body: { disregarded: to } }, { gcTime: 0, staleTime: Infinity },
  );
  const change = $api.useMutation("patch", "/api/devices/{fingerprint}", {
    onError: () => {},
    onSuccess: async () => {
      close();
      tell(to ? "Device disregarded. Identities that use it are rescored." : "Device no longer disregarded. Identities that use it are rescored.");
      await refresh("/api/devices", "/api/identities", "/api/escalations");
    },
  });
  return (
    <Stack>
      <Text fz="sm">
        {to
          ? "Sharing it no longer counts as evidence: meant for a point of sale, a kiosk or a library computer."
          : "Sharing it counts as evidence again."}
      </Text>
      <Answer of={preview} lines={5}>{(preview) => <ChangePreview preview={preview} />}</Answer>
      {change.error && <Failure error={change.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
        <Button
          color={to ? "red" : undefined}
          disabled={!preview.data && !preview.error}
          loading={change.isPending}
          onClick={() => change.mutate({ params, body: { disregarded: to } })}
        >
          {action}
        </Button>
      </Group>
    </Stack>
  );
}

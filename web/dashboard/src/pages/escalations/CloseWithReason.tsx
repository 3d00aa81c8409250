import { Button, Group, Modal, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { Reason } from "../identity/Dismiss";
import type { Escalation } from "./escalations";
import { CLOSE, type Act } from "./moves";

interface Props {
  escalation: Escalation;
  isOpen: boolean;
  close: () => void;
  act: (act: Act, reason?: string) => void;
}

/** Closes an escalation, and says why. */
export function CloseWithReason({ escalation: { identity }, isOpen, close, act }: Props) {
  const form = useForm({ initialValues: { reason: "" } });
  const submit = form.onSubmit(({ reason }) => {
    close();
    form.reset();
    act(CLOSE, reason.trim() || undefined);
  });
  return (
    <Modal opened={isOpen} onClose={close} title={`Close the escalation of ${identity.label}`}>
      <form onSubmit={submit}>
        <Stack>
          <Reason {...form.getInputProps("reason")} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button type="submit">Close the escalation</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

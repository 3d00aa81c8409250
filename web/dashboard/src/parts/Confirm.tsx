// Asks before what cannot be undone.

import { Button, Group, Modal, Stack, Text, type ButtonProps, type ModalProps } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

/** What takes something away from somebody: red, whether it asks or does it. */
const TAKES_AWAY = /^(Delete|Remove|Revoke|Discard|Disable|Disconnect|Leave|Reset|Sign out|Withdraw)/;

interface Props extends ButtonProps {
  /** On the button that does it; on the one that asks first, with three dots. */
  action: string;
  question: string;
  /** What follows from it. */
  children: ReactNode;
  /** How wide it asks. */
  dialog?: ModalProps["size"];
  onConfirm: () => unknown;
}

export function Confirm({ action, question, children, dialog, onConfirm, ...button }: Props) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const isRed = TAKES_AWAY.test(action);
  const confirm = () => {
    close();
    onConfirm();
  };
  return (
    <>
      <Button size="xs" {...(isRed ? { variant: "subtle", color: "red" } : { variant: "default" })} {...button} onClick={open}>{action}…</Button>
      <Modal opened={isOpen} onClose={close} title={question} {...(dialog !== undefined && { size: dialog })}>
        <Stack>
          <Text component="div" fz="sm">{children}</Text>
          <Group justify="flex-end" gap="xs" className="buttons">
            <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
            <Button {...(isRed && { color: "red" })} onClick={confirm}>{action}</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

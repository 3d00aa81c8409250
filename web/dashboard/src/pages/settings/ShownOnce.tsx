// A dialog around what is shown this one time: it closes by its button alone, and not by a stray click or key.

import { Button, Group, Modal, Stack } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  isOpen: boolean;
  title: string;
  onClose: () => void;
  children: ReactNode;
}

export function ShownOnce({ isOpen, title, onClose, children }: Props) {
  return (
    <Modal opened={isOpen} onClose={onClose} title={title} size="lg" closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false}>
      <Stack>
        {children}
        <Group justify="flex-end" gap="xs" className="buttons"><Button onClick={onClose}>I have saved it</Button></Group>
      </Stack>
    </Modal>
  );
}

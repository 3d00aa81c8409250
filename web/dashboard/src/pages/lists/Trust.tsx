// Whether a list is trusted: changed once it is said whom that concerns.

import { Button, Group, Modal, Stack, Switch, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { api } from "../../api";
import { useMay } from "../../app/session";
import { Failure } from "../../parts/Answer";
import { tellChanged } from "../settings/undo";
import { Consequences, useConsequences } from "./Consequences";
import { changed } from "./RemoveEntry";
import type { List } from "./listType";

export function Trust({ list }: { list: List }) {
  const { manage } = useMay();
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Switch
        label="Trusted" checked={list.trusted} disabled={!manage} onChange={open}
        description="Sharing what is on it is not held against anybody. Identities that match an entry are rescored when this changes."
      />
      <Modal opened={isOpen} onClose={close} title={list.trusted ? `Stop trusting ${list.name}?` : `Trust ${list.name}?`}>
        <Question list={list} close={close} />
      </Modal>
    </>
  );
}

async function put(id: number, trusted: boolean): Promise<void> {
  const { error } = await api.PATCH("/api/lists/{id}", { params: { path: { id } }, body: { trusted } });
  if (error) throw error;
  await changed();
}

function Question({ list: { id, name, trusted }, close }: { list: List; close: () => void }) {
  const consequences = useConsequences(id);
  const change = useMutation({
    mutationFn: (to: boolean) => put(id, to),
    onError: () => {},
    // The list is as it was changed by then.
    onSuccess: (_, to) => {
      close();
      tellChanged(to ? `${name} is trusted.` : `${name} is no longer trusted.`, () => put(id, !to));
    },
  });
  return (
    <Stack>
      <Text fz="sm">
        {trusted
          ? "Sharing what is on it counts as evidence again: scores may fall, and escalations open."
          : "Sharing what is on it no longer counts as evidence: scores may rise, and escalations close."}{" "}
        Identities that match an entry are rescored in the background.
      </Text>
      <Consequences of={consequences} adding={trusted ? "They add to it again." : "They add nothing to a trusted list."} />
      {change.error && <Failure error={change.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
        <Button disabled={consequences.isPending} loading={change.isPending} onClick={() => change.mutate(!trusted)}>{trusted ? "Stop trusting" : "Trust"}</Button>
      </Group>
    </Stack>
  );
}

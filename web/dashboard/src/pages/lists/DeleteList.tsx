// Deletes a list, once it is said whom that concerns and which rules go by it.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { $api, tell } from "../../api";
import { Failure } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { Consequences, useConsequences } from "./Consequences";
import { changed } from "./RemoveEntry";
import type { List } from "./listType";

export function DeleteList({ list }: { list: List }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="subtle" color="red" onClick={open}>Delete…</Button>
      <Modal opened={isOpen} onClose={close} title={`Delete ${list.name}?`}><Question list={list} close={close} /></Modal>
    </>
  );
}

function Question({ list: { id, name, entryCount }, close }: { list: List; close: () => void }) {
  const navigate = useNavigate();
  const consequences = useConsequences(id);
  const remove = $api.useMutation("delete", "/api/lists/{id}", {
    onError: () => {},
    onSuccess: async () => {
      close();
      await navigate({ to: "/settings/lists" });
      tell(`${name} is deleted.`);
      await changed();
    },
  });
  return (
    <Stack>
      <Text fz="sm">{counted(entryCount, "entry is", "entries are")} deleted with it. This cannot be undone. Whoever shows one of the values is rescored in the background.</Text>
      <Consequences of={consequences} using="They match nobody by it then." adding="They add nothing then." />
      {remove.error && <Failure error={remove.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
        <Button color="red" disabled={consequences.isPending} loading={remove.isPending} onClick={() => remove.mutate({ params: { path: { id } } })}>Delete</Button>
      </Group>
    </Stack>
  );
}

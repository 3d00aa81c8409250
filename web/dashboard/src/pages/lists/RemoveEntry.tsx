// Takes an entry off a list, once it is said whom that concerns.

import { Button, Group, Modal, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { api, refresh, type Schemas } from "../../api";
import { Failure } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Time } from "../../parts/Time";
import { tellChanged } from "../settings/undo";
import { Consequences, useConsequences } from "./Consequences";
import type { List } from "./listType";

type Entry = Schemas["ListEntryBody"];

export function changed(): Promise<void> {
  return refresh("/api/lists", "/api/identities", "/api/escalations");
}

export function End({ at }: { at: string | null | undefined }) {
  if (!at) return "–";
  return Date.parse(at) <= Date.now() ? <Chip tone={1}>Ended</Chip> : <Time at={at} isAhead />;
}

/** Removes an entry. Answers what takes it back. */
async function drop(list: List, { id, value, comment, endsAt }: Entry): Promise<() => Promise<void>> {
  const { error } = await api.DELETE("/api/lists/{id}/entries/{entryId}", { params: { path: { id: list.id, entryId: id } } });
  if (error) throw error;
  await changed();
  return async () => {
    const { error } = await api.POST("/api/lists/{id}/entries", { params: { path: { id: list.id } }, body: { entries: [{ value, comment: comment ?? null, endsAt: endsAt ?? null }] } });
    if (error) throw error;
    await changed();
  };
}

export function RemoveEntry({ list, entry }: { list: List; entry: Entry }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="subtle" color="red" onClick={open}>Remove…</Button>
      <Modal opened={isOpen} onClose={close} title={`Remove ${entry.value}?`}><RemoveQuestion list={list} entry={entry} close={close} /></Modal>
    </>
  );
}

function RemoveQuestion({ list, entry, close }: { list: List; entry: Entry; close: () => void }) {
  const consequences = useConsequences(list.id, [entry.value]);
  const remove = useMutation({
    mutationFn: () => drop(list, entry),
    onError: () => {},
    onSuccess: (undo) => {
      close();
      tellChanged(`${entry.value} is removed.`, undo);
    },
  });
  return (
    <Stack>
      <Consequences of={consequences} using="They no longer match it." />
      {remove.error && <Failure error={remove.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
        <Button color="red" disabled={consequences.isPending} loading={remove.isPending} onClick={() => remove.mutate()}>Remove</Button>
      </Group>
    </Stack>
  );
}

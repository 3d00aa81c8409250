// The name and the description of a list.

import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { $api, refresh } from "../../api";
import { Failure } from "../../parts/Answer";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import type { List } from "./listType";

export function EditList({ list }: { list: List }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>Edit…</Button>
      <Modal opened={isOpen} onClose={close} title={`Edit ${list.name}`}><Form list={list} close={close} /></Modal>
    </>
  );
}

function Form({ list: { id, name, slug, description }, close }: { list: List; close: () => void }) {
  const form = useForm({ initialValues: { name, description: description ?? "" }, validate: { name: required("Enter a name.") } });
  const change = $api.useMutation("patch", "/api/lists/{id}", {
    onError: () => {},
    onSuccess: async () => {
      close();
      await refresh("/api/lists");
    },
  });
  const failure = useRefusal(form, change.error);
  const submit = form.onSubmit((body) => change.mutate({ params: { path: { id } }, body }), (errors) => showFirst(form, errors));
  return (
    <form noValidate onSubmit={submit}>
      <Stack>
        <TextInput label="Name" description={`Rules still call it ${slug}.`} required maxLength={100} data-autofocus {...form.getInputProps("name")} />
        <TextInput label="Description" maxLength={500} {...form.getInputProps("description")} />
        {Boolean(failure) && <Failure error={failure} />}
        <Group justify="flex-end" gap="xs" className="buttons">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={change.isPending}>Save</Button>
        </Group>
      </Stack>
    </form>
  );
}

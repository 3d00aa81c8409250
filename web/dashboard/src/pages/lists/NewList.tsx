// A new list.

import { Button, Group, Modal, NativeSelect, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { $api, refresh } from "../../api";
import { Failure } from "../../parts/Answer";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { kindOf, TYPE_OPTIONS } from "./listType";

export function NewList() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const navigate = useNavigate();
  const form = useForm({ initialValues: { name: "", type: "NETWORK", description: "", trusted: false }, validate: { name: required("Enter a name.") } });
  const create = $api.useMutation("post", "/api/lists", {
    onError: () => {},
    onSuccess: async ({ id }) => {
      close();
      form.reset();
      await refresh("/api/lists");
      await navigate({ to: "/settings/lists/$id", params: { id: String(id) } });
    },
  });
  const failure = useRefusal(form, create.error);
  const { isShared } = kindOf(form.values.type);
  const submit = form.onSubmit(
    ({ description, trusted, ...rest }) => create.mutate({ body: { ...rest, description: description.trim() || null, trusted: trusted && isShared } }),
    (errors) => showFirst(form, errors),
  );
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={open}>New list…</Button>
      <Modal opened={isOpen} onClose={close} title="New list">
        <form noValidate onSubmit={submit}>
          <Stack>
            <TextInput label="Name" required maxLength={100} data-autofocus {...form.getInputProps("name")} />
            <NativeSelect label="Type" data={TYPE_OPTIONS} description="It cannot be changed later." {...form.getInputProps("type")} />
            <TextInput label="Description" maxLength={500} {...form.getInputProps("description")} />
            {isShared && <Switch label="Trusted" description="Sharing what is on it is not held against anybody." {...form.getInputProps("trusted", { type: "checkbox" })} />}
            {Boolean(failure) && <Failure error={failure} />}
            <Group justify="flex-end" gap="xs" className="buttons">
              <Button variant="default" onClick={close}>Cancel</Button>
              <Button type="submit" loading={create.isPending}>Create</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { $api, refresh } from "../../api";
import { Failure } from "../../parts/Answer";
import { required, showFirst, useRefusal } from "../../parts/refusal";

/** Makes a group before any event names it. */
export function NewGroup() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const navigate = useNavigate();
  const form = useForm({ initialValues: { type: "organization", id: "", name: "" }, validate: { type: required("Enter a type."), id: required("Enter an id.") } });
  const create = $api.useMutation("post", "/api/groups", {
    onError: () => {},
    onSuccess: ({ type, id }) => {
      void refresh("/api/groups");
      void navigate({ to: "/groups/$type/$id", params: { type, id } });
    },
  });
  const submit = form.onSubmit(({ type, id, name }) =>
    create.mutate({ body: { type, id, ...(name.trim() ? { attributes: { name: name.trim() } } : {}) } }),
    (errors) => showFirst(form, errors),
  );
  const failure = useRefusal(form, create.error);
  return (
    <>
      <Button size="xs" onClick={open}>New group…</Button>
      <Modal opened={isOpen} onClose={close} title="New group">
        <form noValidate onSubmit={submit}>
          <Stack>
            {Boolean(failure) && <Failure error={failure} />}
            <TextInput label="Type" required {...form.getInputProps("type")} />
            <TextInput label="Id" description="As in your events." required data-autofocus {...form.getInputProps("id")} />
            <TextInput label="Name" {...form.getInputProps("name")} />
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

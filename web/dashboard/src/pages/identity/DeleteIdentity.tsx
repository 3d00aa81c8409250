// Deletes a person's data, once their id has been typed.

import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useNavigate } from "@tanstack/react-router";
import { $api, queries, refresh, tell } from "../../api";
import { visibleId } from "../../app/visible";
import { Failure } from "../../parts/Answer";

export function DeleteIdentity({ id, isOpen, close }: { id: string; isOpen: boolean; close: () => void }) {
  const navigate = useNavigate();
  const listed = $api.useQuery("get", "/api/identities/{id}/list-entries", { params: { path: { id } } }, { enabled: isOpen });
  const form = useForm({ initialValues: { typed: "" } });
  const remove = $api.useMutation("delete", "/api/identities/{id}", {
    onError: () => {},
    onSuccess: async () => {
      await navigate({ to: "/identities" });
      // Nothing of this page is asked for again: it would not be found.
      queries.removeQueries({ predicate: ({ queryKey: [, path] }) => typeof path === "string" && path.startsWith("/api/identities/{id}") });
      tell("The identity is deleted.");
      await refresh("/api/");
    },
  });
  return (
    <Modal opened={isOpen} onClose={close} title="Delete this identity?">
      <form onSubmit={form.onSubmit(() => remove.mutate({ params: { path: { id } } }))}>
        <Stack>
          <Text fz="sm">
            Its attributes, events, scores, reviews, escalations and deliveries are removed for good. Only keyed hashes of its devices and
            e-mail address stay, so that the same person is recognized as “a deleted identity” should they come back.
          </Text>
          {listed.data && listed.data.length > 0 && (
            <Text fz="sm">
              What it shows stays on {listed.data.map(({ list, entry }) => `“${list.name}” (${entry.value})`).join(", ")}: remove it there first, if it is to go.
            </Text>
          )}
          {remove.error && <Failure error={remove.error} />}
          <TextInput label={<>Type <code className="mono break">{visibleId(id)}</code> to confirm</>} autoComplete="off" data-autofocus {...form.getInputProps("typed")} />
          <Group justify="flex-end" gap="xs" className="buttons">
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button type="submit" color="red" disabled={form.values.typed !== id} loading={remove.isPending}>Delete</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

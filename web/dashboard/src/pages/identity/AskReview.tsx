// Asks for a review: an account, in words, of what drives the scores and what would change them.

import { Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { $api, refresh } from "../../api";
import { usePageSearch } from "../../app/search";
import { Failure } from "../../parts/Answer";

const FEEDBACK_MAX_CHARS = 4_000;

export function AskReview({ id, isOpen, close }: { id: string; isOpen: boolean; close: () => void }) {
  const [, changeSearch] = usePageSearch();
  const form = useForm({ initialValues: { feedback: "" } });
  const ask = $api.useMutation("post", "/api/identities/{id}/actions/review", {
    onError: () => {},
    onSuccess: async () => {
      close();
      form.reset();
      changeSearch({ tab: "reviews" });
      await refresh("/api/identities/{id}/reviews");
    },
  });
  const submit = form.onSubmit(({ feedback }) => ask.mutate({ params: { path: { id } }, body: { feedback: feedback.trim() || null } }));
  return (
    <Modal opened={isOpen} onClose={close} title="Request a review">
      <form onSubmit={submit}>
        <Stack>
          <Text fz="sm">A review says in words what drives the scores and what would change them. The server writes it at once; nobody is notified.</Text>
          {ask.error && <Failure error={ask.error} />}
          <Textarea
            label="Context"
            description="Optional: what the analysis seems to get wrong, or what you know about this person."
            autosize
            minRows={3}
            maxLength={FEEDBACK_MAX_CHARS}
            data-autofocus
            {...form.getInputProps("feedback")}
          />
          <Group justify="flex-end" gap="xs" className="buttons">
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button type="submit" loading={ask.isPending}>Request</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

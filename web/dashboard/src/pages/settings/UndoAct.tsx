// Undoes what an entry of the audit log put on lists, once it is said what that does.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { $api, tell } from "../../api";
import { Answer, Failure } from "../../parts/Answer";
import { refreshUndone, undo, undoneWords } from "../lists/undoAct";

interface Props {
  /** Of the entry. */
  id: number;
  label?: string;
  title?: string;
}

export function UndoAct({ id, label = "Undo", title = "Undo this?" }: Props) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="compact-xs" variant="default" onClick={open}>{label}…</Button>
      <Modal opened={isOpen} onClose={close} title={title}>{isOpen && <Question id={id} close={close} />}</Modal>
    </>
  );
}

function Question({ id, close }: { id: number; close: () => void }) {
  const act = useMutation({
    mutationFn: () => undo(id),
    onError: () => {},
    onSuccess: async (done) => {
      close();
      tell(undoneWords(done));
      await refreshUndone();
    },
  });
  // What is undone is not asked for again.
  const preview = $api.useQuery("post", "/api/audit-log/{id}/actions/undo", { params: { path: { id }, query: { dryRun: true } } }, { gcTime: 0, staleTime: Infinity, retry: false, enabled: act.isIdle || act.isError });
  return (
    <Stack>
      <Answer of={preview} lines={2}>{(found) => <Text fz="sm">{undoneWords(found)} Identities that match one of them are rescored. The lists, and the rules that use them, stay.</Text>}</Answer>
      {act.error && <Failure error={act.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
        <Button disabled={!preview.data} loading={act.isPending} onClick={() => act.mutate()}>Undo</Button>
      </Group>
    </Stack>
  );
}

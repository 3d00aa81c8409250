// A table that is imported into a list: first what would change, then the import itself.

import { Button, FileButton, Group, List as Lines, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconUpload } from "@tabler/icons-react";
import { useState } from "react";
import { $api, type Schemas } from "../../api";
import { Failure } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { Words } from "../../parts/Words";
import { ConcernedWords } from "../settings/Concerned";
import { changed } from "./RemoveEntry";
import { kindOf, type List } from "./listType";
import { tellUndoable } from "./undoAct";

type Imported = Schemas["ListImportedBody"];

export function ImportTable({ list }: { list: List }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const [csv, setCsv] = useState("");
  const preview = $api.useMutation("post", "/api/lists/{id}/import", { onError: () => {} });
  const write = $api.useMutation("post", "/api/lists/{id}/import", {
    onError: () => {},
    onSuccess: async ({ added, changed: other, auditId }) => {
      tellUndoable(`${counted(added, "entry is", "entries are")} added, ${other.toLocaleString("en")} changed.`, auditId);
      leave();
      await changed();
    },
  });
  const leave = () => {
    close();
    put("");
  };
  const put = (text: string) => {
    setCsv(text);
    preview.reset();
    write.reset();
  };
  const params = (dryRun: boolean) => ({ params: { path: { id: list.id }, query: { dryRun } }, body: { csv } });
  const found = preview.data;
  const isRight = found !== undefined && found.errorCount === 0 && found.added + found.changed > 0;
  const failure = preview.error ?? write.error;
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconUpload size={14} />} onClick={open}>Import CSV…</Button>
      <Modal opened={isOpen} onClose={leave} title={`Import into ${list.name}`} size="lg">
        <Stack>
          <Textarea
            label="Table" description="One entry per line: value, comment, endsAt. The last two may be left out. At most 10,000 lines at a time."
            placeholder={`value,comment,endsAt\n${kindOf(list.type).example},Why,2030-01-01T00:00:00Z`} classNames={{ input: "mono" }}
            minRows={6} maxRows={14} autosize value={csv} onChange={(event) => put(event.currentTarget.value)} data-autofocus
          />
          {failure && <Failure error={failure} />}
          {found && <Preview of={found} />}
          <Group justify="flex-end" gap="xs" className="buttons">
            <FileButton accept=".csv,text/csv,text/plain" onChange={(file) => void file?.text().then(put)}>
              {(props) => <Button variant="default" {...props}>Choose a file</Button>}
            </FileButton>
            <Button variant="default" disabled={!csv.trim()} loading={preview.isPending} onClick={() => preview.mutate(params(true))}>Preview</Button>
            <Button disabled={!isRight} loading={write.isPending} onClick={() => write.mutate(params(false))}>Import</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

/** What the import would do: it has not done it. */
function Preview({ of: { added, changed, unchanged, repeated, ended, firstAdded, errors, errorCount, preview } }: { of: Imported }) {
  return (
    <div role="status">
      <Text fz="sm"><strong>{errorCount > 0 ? "The other lines would add" : "Adds"} {counted(added, "entry", "entries")}, {errorCount > 0 ? "change" : "changes"} {changed.toLocaleString("en")}; {unchanged.toLocaleString("en")} {unchanged === 1 ? "is" : "are"} on the list already.</strong></Text>
      {repeated > 0 && <Text fz="sm">{counted(repeated, "line repeats a value; the last of each counts", "lines repeat a value; the last of each counts")}.</Text>}
      {ended > 0 && <Text fz="sm">{counted(ended, "has an end that has passed, and does not count", "have an end that has passed, and do not count")}.</Text>}
      {firstAdded.length > 0 && <Text fz="xs" c="dimmed" className="mono break">{firstAdded.join(", ")}{added > firstAdded.length ? ", …" : ""}</Text>}
      {errorCount === 0 && preview && <ConcernedWords found={preview} />}
      {errorCount > 0 && (
        <>
          <Text fz="sm" mt="xs">{counted(errorCount, "line is", "lines are")} wrong. Nothing is imported until {errorCount === 1 ? "it is" : "they are"} right.</Text>
          <Lines fz="sm" spacing={2}>
            {errors.map(({ line, message }) => <Lines.Item key={line}>Line {line}: <Words text={message} /></Lines.Item>)}
          </Lines>
        </>
      )}
    </div>
  );
}

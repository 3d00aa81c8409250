// What is on a list: searched, added to and taken away from.

import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { keepPreviousData } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { $api, asApiError, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { Answer, Empty, Failure } from "../../parts/Answer";
import { SearchFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { Time } from "../../parts/Time";
import { toUtc } from "../../parts/TimeFilter";
import { whole } from "../settings/whole";
import { Consequences, useConsequences } from "./Consequences";
import { kindOf, type List } from "./listType";
import { changed, End, RemoveEntry } from "./RemoveEntry";
import { tellUndoable } from "./undoAct";

type Entry = Schemas["ListEntryBody"];
interface Props { list: List; mayChange: boolean }

export function ListEntries({ list, mayChange }: Props) {
  const [{ term }] = usePageSearch();
  return (
    <>
      {mayChange && <NewEntry list={list} />}
      <Group gap="xs" className="filters"><SearchFilter label="Search values" /></Group>
      <Entries key={term ?? ""} list={list} mayChange={mayChange} term={term} />
    </>
  );
}

function Entries({ list, mayChange, term }: Props & { term: string | undefined }) {
  // Where this page and those before it begin.
  const [begins, turn] = useState([""]);
  const after = begins.at(-1) || undefined;
  const entries = $api.useQuery("get", "/api/lists/{id}/entries", { params: { path: { id: list.id }, query: { term, after, pageSize: 50 } } }, { placeholderData: keepPreviousData });
  const columns: Column<Entry>[] = [
    { title: "Value", cell: ({ value }) => <span className="mono break">{value}</span> },
    { title: "Comment", cell: ({ comment }) => <span className="break">{comment || "–"}</span> },
    { title: "Ends", cell: ({ endsAt }) => <End at={endsAt} /> },
    { title: "By", cell: ({ author }) => <span className="break">{author}</span>, isMinor: true },
    { title: "Added", cell: ({ createdAt }) => <Time at={createdAt} /> },
    { title: "Actions", cell: (entry) => (mayChange ? <RemoveEntry list={list} entry={entry} /> : "") },
  ];
  return (
    <Answer of={entries} lines={8}>
      {({ content, next }) => (
        <>
          <ListTable
            label="Entries" page={{ ...whole(content), totalElements: term ? content.length : list.entryCount, totalIsExact: !term || !next }} columns={columns} rowKey={({ id }) => id} isWaiting={entries.isPlaceholderData}
            empty={term ? <Empty title="No matching entries" /> : <Empty title="Nothing is on this list">Add values above, or import a table.</Empty>}
          />
          {(begins.length > 1 || next) && (
            <Group gap="xs" justify="flex-end">
              <Button size="xs" variant="default" disabled={begins.length === 1} onClick={() => turn(begins.slice(0, -1))}>Previous page</Button>
              <Button size="xs" variant="default" disabled={!next} onClick={() => next && turn([...begins, next])}>Next page</Button>
            </Group>
          )}
        </>
      )}
    </Answer>
  );
}

/** An entry that is about to be added. */
interface New {
  value: string;
  comment: string | null;
  endsAt: string | null;
}

function NewEntry({ list }: { list: List }) {
  const form = useForm({ initialValues: { value: "", comment: "", endsAt: "" }, validate: { value: required("Enter a value.") } });
  const [asked, ask] = useState<New>();
  const [refused, refuse] = useState<unknown>();
  // The API names a field of the first entry, or the first of the values.
  const failure = useRefusal(form, refused, (field) => field.replace(/^entries\[0\]\./, "").replace(/^values\[0\]$/, "value"));
  const submit = form.onSubmit(({ value, comment, endsAt }) => {
    refuse(undefined);
    ask({ value: value.trim(), comment: comment.trim() || null, endsAt: toUtc(endsAt) ?? null });
  }, (errors) => showFirst(form, errors));
  const cancel = () => ask(undefined);
  const done = () => {
    form.reset();
    cancel();
  };
  const giveBack = (error: unknown) => {
    refuse(error);
    cancel();
  };
  return (
    <Panel>
      <form noValidate onSubmit={submit}>
        <Stack gap="sm">
          <Group align="flex-start" gap="sm">
            <TextInput label="Value" placeholder={kindOf(list.type).example} required maxLength={320} flex={1} miw={180} {...form.getInputProps("value")} />
            <TextInput label="Comment" placeholder="Why" maxLength={500} flex={1} miw={180} {...form.getInputProps("comment")} />
            <TextInput label="Ends" type="datetime-local" miw={180} {...form.getInputProps("endsAt")} />
            <Button type="submit" className="beside-label">Add…</Button>
          </Group>
          {Boolean(failure) && <Failure error={failure} />}
        </Stack>
      </form>
      <Modal opened={asked !== undefined} onClose={cancel} title={asked && `Add ${asked.value} to ${list.name}?`}>
        {asked && <AddQuestion list={list} entry={asked} {...{ done, giveBack, cancel }} />}
      </Modal>
    </Panel>
  );
}

interface AddProps {
  list: List;
  entry: New;
  done: () => void;
  /** What is refused is said beside its field. */
  giveBack: (error: unknown) => void;
  cancel: () => void;
}

function AddQuestion({ list, entry, done, giveBack, cancel }: AddProps) {
  const consequences = useConsequences(list.id, [entry.value]);
  const isRefused = asApiError(consequences.error)?.status === 400;
  useEffect(() => {
    if (isRefused) giveBack(consequences.error);
  }, [isRefused]);
  const add = $api.useMutation("post", "/api/lists/{id}/entries", {
    onError: giveBack,
    onSuccess: async ({ added, unchanged, auditId }) => {
      done();
      tellUndoable(added ? `${entry.value} is added.` : unchanged ? "It was on the list already." : "The entry is changed.", auditId);
      await changed();
    },
  });
  if (isRefused) return null;
  return (
    <Stack>
      <Consequences of={consequences} isAdding using="They match it from then on." unused={list.trusted ? undefined : "The entry changes nothing until one does."} />
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={cancel} data-autofocus>Cancel</Button>
        <Button disabled={consequences.isPending} loading={add.isPending} onClick={() => add.mutate({ params: { path: { id: list.id } }, body: { entries: [entry] } })}>Add</Button>
      </Group>
    </Stack>
  );
}

// What is on a list: searched, added to and taken away from.

import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { keepPreviousData } from "@tanstack/react-query";
import { useState } from "react";
import { $api, refresh, tell, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { Answer, Empty, Failure } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Confirm } from "../../parts/Confirm";
import { SearchFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { Time } from "../../parts/Time";
import { whole } from "../settings/whole";
import { kindOf, type List } from "./listType";

type Entry = Schemas["ListEntryBody"];
interface Props { list: List; mayChange: boolean }

export function changed(): Promise<void> {
  return refresh("/api/lists", "/api/identities", "/api/escalations");
}

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
    { title: "Actions", cell: (entry) => (mayChange ? <Remove list={list} entry={entry} /> : "") },
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

function End({ at }: { at: string | null | undefined }) {
  if (!at) return "–";
  return Date.parse(at) <= Date.now() ? <Chip tone={1}>Ended</Chip> : <Time at={at} isAhead />;
}

function Remove({ list, entry: { id, value } }: { list: List; entry: Entry }) {
  const remove = $api.useMutation("delete", "/api/lists/{id}/entries/{entryId}", {
    onSuccess: async () => {
      tell(`${value} is removed.`);
      await changed();
    },
  });
  const path = { id: list.id, entryId: id };
  return (
    <Confirm action="Remove" question={`Remove ${value}?`} loading={remove.isPending} onConfirm={() => remove.mutate({ params: { path } })}>
      Whoever shows it is rescored.
    </Confirm>
  );
}

function NewEntry({ list }: { list: List }) {
  const form = useForm({ initialValues: { value: "", comment: "", endsAt: "" }, validate: { value: required("Enter a value.") } });
  const add = $api.useMutation("post", "/api/lists/{id}/entries", {
    onError: () => {},
    onSuccess: async ({ added, unchanged }) => {
      tell(added ? "It is added." : unchanged ? "It was on the list already." : "The entry is changed.");
      form.reset();
      await changed();
    },
  });
  // The API names a field of the first entry.
  const failure = useRefusal(form, add.error, (field) => field.replace(/^entries\[0\]\./, ""));
  const submit = form.onSubmit(({ value, comment, endsAt }) => {
    const entry = { value, comment: comment.trim() || null, endsAt: endsAt ? new Date(endsAt).toISOString() : null };
    add.mutate({ params: { path: { id: list.id } }, body: { entries: [entry] } });
  }, (errors) => showFirst(form, errors));
  return (
    <Panel>
      <form noValidate onSubmit={submit}>
        <Stack gap="sm">
          <Group align="flex-start" gap="sm">
            <TextInput label="Value" placeholder={kindOf(list.type).example} required maxLength={320} flex={1} miw={180} {...form.getInputProps("value")} />
            <TextInput label="Comment" placeholder="Why" maxLength={500} flex={1} miw={180} {...form.getInputProps("comment")} />
            <TextInput label="Ends" type="datetime-local" miw={180} {...form.getInputProps("endsAt")} />
            <Button type="submit" className="beside-label" loading={add.isPending}>Add</Button>
          </Group>
          {Boolean(failure) && <Failure error={failure} />}
        </Stack>
      </form>
    </Panel>
  );
}

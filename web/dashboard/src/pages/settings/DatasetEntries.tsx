// The values of one dataset, the team's own first.

import { Button, Group, Modal, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { keepPreviousData, useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { $api, asApiError, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Answer, Empty, Failure } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { ChoiceFilter, SearchFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { Time } from "../../parts/Time";
import { Concerned } from "./Concerned";
import { addEntry, dropEntry, type Entry as Own } from "./entry";
import { OwnChip, SCOPES } from "./scope";
import { tellChanged } from "./undo";

type Entry = Schemas["DatasetEntryBody"];

export function DatasetEntries({ slug }: { slug: string }) {
  const { manage } = useMay();
  const [search] = usePageSearch();
  const { term, scope, sort, order } = search;
  const query = { term, scope, sort, order: order as "ASC" | "DESC" | undefined, pageNumber: Number(search.pageNumber ?? 0) };
  const entries = $api.useQuery("get", "/api/datasets/{slug}/entries", { params: { path: { slug }, query } }, { placeholderData: keepPreviousData });
  const columns: Column<Entry>[] = [
    { title: "Value", sort: "value", first: "DESC", cell: ({ value }) => <span className="mono break">{value}</span> },
    { title: "Source", cell: ({ scope }) => <OwnChip scope={scope} /> },
    { title: "Status", cell: ({ included }) => (included ? "Included" : <Chip tone={1}>Excluded</Chip>) },
    { title: "Note", cell: ({ note }) => <span className="break">{note || "–"}</span> },
    { title: "Added", cell: ({ createdAt }) => <Time at={createdAt} /> },
    { title: "Actions", cell: ({ id, value, included, note }) => (!manage ? "" : id != null ? <Remove id={id} entry={{ slug, value, included, note: note ?? null }} /> : included && <Exclude slug={slug} value={value} />) },
  ];
  return (
    <>
      {manage && <NewEntry slug={slug} />}
      <Group gap="xs" className="filters">
        <SearchFilter label="Search values" />
        <ChoiceFilter name="scope" label="Custom and built-in" options={SCOPES} />
      </Group>
      <Answer of={entries} lines={8}>
        {(page) => (
          <ListTable
            label="Entries" page={page} columns={columns} rowKey={({ scope, value }) => `${scope} ${value}`} isWaiting={entries.isPlaceholderData}
            empty={scope === "CUSTOMER" && !term ? <Empty title="No custom entries yet">Entries that you add extend the built-in list; entries that you exclude are removed from it.</Empty> : <Empty title="No matching entries" />}
          />
        )}
      </Answer>
    </>
  );
}

function NewEntry({ slug }: { slug: string }) {
  // Of networks a value is a block of addresses, of the others a domain.
  const isNetwork = slug.endsWith("networks");
  const form = useForm({ initialValues: { value: "", included: true, note: "" }, validate: { value: required("Enter a value.") } });
  const [asked, ask] = useState<Own>();
  const [refused, refuse] = useState<unknown>();
  const submit = form.onSubmit(({ value, included, note }) => {
    refuse(undefined);
    ask({ slug, value: value.trim(), included, note: note.trim() || null });
  }, (errors) => showFirst(form, errors));
  const failure = useRefusal(form, refused);
  const done = () => {
    form.reset();
    ask(undefined);
  };
  const giveBack = (error: unknown) => {
    refuse(error);
    ask(undefined);
  };
  return (
    <Panel>
      <form noValidate onSubmit={submit}>
        <Stack gap="sm">
          <Group align="flex-start" gap="sm">
            <TextInput
              label={isNetwork ? "Network" : "Domain"} placeholder={isNetwork ? "203.0.113.0/24 or AS64500" : "disposable.example"}
              required maxLength={253} flex={1} miw={180} {...form.getInputProps("value")}
            />
            <TextInput label="Note" placeholder="Why" maxLength={500} flex={1} miw={180} {...form.getInputProps("note")} />
            <Button type="submit" className="beside-label">Add…</Button>
          </Group>
          <Switch
            label="Included" description={`Off excludes a built-in value.${isNetwork ? "" : " Applies to subdomains as well."}`}
            {...form.getInputProps("included", { type: "checkbox" })}
          />
          {Boolean(failure) && <Failure error={failure} />}
        </Stack>
      </form>
      <Modal opened={asked !== undefined} onClose={() => ask(undefined)} title={asked && `${asked.included ? "Add" : "Exclude"} ${asked.value}?`}>
        {asked && <AddQuestion entry={asked} done={done} giveBack={giveBack} cancel={() => ask(undefined)} />}
      </Modal>
    </Panel>
  );
}

/** Whom an entry concerns, asked for once. */
function useConcerned({ slug, value }: Own) {
  return $api.useQuery("post", "/api/datasets/{slug}/actions/preview", { params: { path: { slug } }, body: { value } }, { gcTime: 0, staleTime: Infinity, retry: false });
}

interface AddProps {
  entry: Own;
  done: () => void;
  /** What is refused is said beside its field. */
  giveBack: (error: unknown) => void;
  cancel: () => void;
}

function AddQuestion({ entry, done, giveBack, cancel }: AddProps) {
  const concerned = useConcerned(entry);
  const isRefused = asApiError(concerned.error)?.status === 400;
  useEffect(() => {
    if (isRefused) giveBack(concerned.error);
  }, [isRefused]);
  const add = useMutation({
    mutationFn: () => addEntry(entry),
    onError: giveBack,
    onSuccess: (undo) => {
      done();
      tellChanged(`${entry.value} is ${entry.included ? "added" : "excluded"}.`, undo);
    },
  });
  if (isRefused) return null;
  return (
    <Stack>
      <Concerned of={concerned} />
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={cancel} data-autofocus>Cancel</Button>
        <Button disabled={concerned.isPending} loading={add.isPending} onClick={() => add.mutate()}>{entry.included ? "Add" : "Exclude"}</Button>
      </Group>
    </Stack>
  );
}

/** Takes a built-in value away. */
function Exclude({ slug, value }: { slug: string; value: string }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const [refused, refuse] = useState<unknown>();
  const begin = () => {
    refuse(undefined);
    open();
  };
  return (
    <>
      <Button size="xs" variant="default" aria-label={`Exclude ${value}`} onClick={begin}>Exclude…</Button>
      <Modal opened={isOpen} onClose={close} title={`Exclude ${value}?`}>
        {refused ? <Failure error={refused} /> : <AddQuestion entry={{ slug, value, included: false, note: null }} done={close} giveBack={refuse} cancel={close} />}
      </Modal>
    </>
  );
}

function Remove({ id, entry }: { id: number; entry: Own }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="subtle" color="red" onClick={open}>Remove…</Button>
      <Modal opened={isOpen} onClose={close} title={`Remove ${entry.value}?`}>
        <RemoveQuestion id={id} entry={entry} close={close} />
      </Modal>
    </>
  );
}

function RemoveQuestion({ id, entry, close }: { id: number; entry: Own; close: () => void }) {
  const concerned = useConcerned(entry);
  const remove = useMutation({
    mutationFn: () => dropEntry(id, entry),
    onError: () => {},
    onSuccess: (undo) => {
      close();
      tellChanged(`${entry.value} is removed.`, undo);
    },
  });
  return (
    <Stack>
      <Text fz="sm">What is built in applies to it again.</Text>
      <Concerned of={concerned} />
      {remove.error && <Failure error={remove.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
        <Button color="red" disabled={concerned.isPending} loading={remove.isPending} onClick={() => remove.mutate()}>Remove</Button>
      </Group>
    </Stack>
  );
}

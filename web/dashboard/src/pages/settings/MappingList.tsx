// All mappings: the team's own, and those that are shipped.

import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { keepPreviousData, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Answer, Empty, Failure } from "../../parts/Answer";
import { ChoiceFilter, SearchFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { showFirst } from "../../parts/refusal";
import { word } from "../../parts/score";
import { Concerned, isName, useConcerned } from "./Concerned";
import { mappedWords, Meaning } from "./Meaning";
import { changeMapping, dropMapping, kindOf, useTargets, type Kind } from "./mapping";
import { tellChanged } from "./undo";
import { OwnChip, SCOPES } from "./scope";

type Mapping = Schemas["MappingBody"];

export function MappingList({ kind }: { kind: Kind }) {
  const { manage } = useMay();
  const [search] = usePageSearch();
  const { term, scope, sort, order } = search;
  const query = { kind, term, scope, sort, order: order as "ASC" | "DESC" | undefined, pageNumber: Number(search.pageNumber ?? 0) };
  const mappings = $api.useQuery("get", "/api/mappings", { params: { query } }, { placeholderData: keepPreviousData });
  const columns: Column<Mapping>[] = [
    { title: "Name", sort: "source", first: "DESC", cell: ({ source }) => <span className="mono break">{source}</span> },
    {
      title: "Canonical type",
      cell: ({ id, source, target }) => (id == null ? word(target ?? "") : <Meaning kind={kind} name={source} target={target} />),
    },
    { title: "Source", cell: ({ scope }) => <OwnChip scope={scope} /> },
    { title: "Actions", cell: (mapping) => (manage && mapping.id != null ? <Remove mapping={mapping} /> : "") },
  ];
  return (
    <>
      {manage && <NewMapping kind={kind} />}
      <Group gap="xs" className="filters">
        <SearchFilter label="Search names and canonical types" />
        <ChoiceFilter name="scope" label="Custom and built-in" options={SCOPES} />
      </Group>
      <Answer of={mappings} lines={8}>
        {(page) => (
          <ListTable
            label="Mappings" page={page} columns={columns} rowKey={({ scope, source }) => `${scope} ${source}`} isWaiting={mappings.isPlaceholderData}
            empty={scope === "CUSTOMER" && !term ? <Empty title="No custom mappings yet">A custom mapping overrides the built-in mapping of the same name.</Empty> : <Empty title="No matching mappings" />}
          />
        )}
      </Answer>
    </>
  );
}

function NewMapping({ kind }: { kind: Kind }) {
  const targets = useTargets(kind);
  const form = useForm({ initialValues: { source: "", target: "" }, validate: { source: (source) => (isName(source) ? null : "Enter a name with a letter or a digit.") } });
  const [asked, ask] = useState<{ source: string; target: string | null }>();
  const done = () => {
    form.reset();
    ask(undefined);
  };
  return (
    <Panel>
      <form noValidate onSubmit={form.onSubmit(({ source, target }) => ask({ source, target: target || null }), (errors) => showFirst(form, errors))}>
        <Stack gap="sm">
          <Group align="flex-start" gap="sm">
            <TextInput label="Name" placeholder={kind === "EVENT_TYPE" ? "account.opened" : "contactMail"} required maxLength={100} flex={1} miw={180} maw={320} {...form.getInputProps("source")} />
            <NativeSelect label="Canonical type" data={[{ value: "", label: "Not mapped" }, ...targets.map((value) => ({ value, label: word(value) }))]} {...form.getInputProps("target")} />
            <Button type="submit" className="beside-label">Add mapping…</Button>
          </Group>
          <Text c="dimmed" fz="xs">Names match in any case and style. “Not mapped” turns a built-in mapping off.</Text>
        </Stack>
      </form>
      <Modal opened={asked !== undefined} onClose={() => ask(undefined)} title="Add this mapping?">
        {asked && <AddQuestion kind={kind} asked={asked} done={done} cancel={() => ask(undefined)} />}
      </Modal>
    </Panel>
  );
}

interface AddProps {
  kind: Kind;
  asked: { source: string; target: string | null };
  done: () => void;
  cancel: () => void;
}

function AddQuestion({ kind, asked: { source, target }, done, cancel }: AddProps) {
  const concerned = useConcerned(kind, source);
  const set = useMutation({
    mutationFn: () => changeMapping(kind, source, target),
    onError: () => {},
    onSuccess: (undo) => {
      done();
      tellChanged(mappedWords({ kind, name: source, target }), undo);
    },
  });
  return (
    <Stack>
      <Text fz="sm"><span className="mono break">{source}</span>: {target ? word(target) : "not mapped"}</Text>
      <Concerned of={concerned} />
      {set.error && <Failure error={set.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={cancel} data-autofocus>Cancel</Button>
        <Button loading={set.isPending} onClick={() => set.mutate()}>Add mapping</Button>
      </Group>
    </Stack>
  );
}

function Remove({ mapping }: { mapping: Mapping }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="subtle" color="red" onClick={open}>Remove…</Button>
      <Modal opened={isOpen} onClose={close} title={`Remove the mapping of ${mapping.source}?`}>
        <RemoveQuestion mapping={mapping} close={close} />
      </Modal>
    </>
  );
}

function RemoveQuestion({ mapping: { id, kind, source, target }, close }: { mapping: Mapping; close: () => void }) {
  const concerned = useConcerned(kindOf(kind), source);
  const remove = useMutation({
    mutationFn: () => dropMapping({ id: id ?? 0, kind: kindOf(kind), source, target: target ?? null }),
    onError: () => {},
    onSuccess: (undo) => {
      close();
      tellChanged(`The mapping of ${source} is removed.`, undo);
    },
  });
  return (
    <Stack>
      <Text fz="sm">The built-in mapping of the name applies again, if there is one.</Text>
      <Concerned of={concerned} />
      {remove.error && <Failure error={remove.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
        <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>Remove</Button>
      </Group>
    </Stack>
  );
}

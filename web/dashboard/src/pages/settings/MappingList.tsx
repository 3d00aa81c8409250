// All mappings: the team's own, and those that are shipped.

import { Button, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { keepPreviousData, useMutation } from "@tanstack/react-query";
import { $api, tell, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Answer, Empty, Failure } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { ChoiceFilter, SearchFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { word } from "../../parts/score";
import { Meaning } from "./Meaning";
import { refreshMeanings, setMeaning, useTargets, type Kind } from "./mapping";
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
    { title: "Actions", cell: ({ id, source }) => (manage && id != null ? <Remove id={id} source={source} /> : "") },
  ];
  return (
    <>
      {manage && <NewMapping kind={kind} />}
      <Group gap="xs">
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
  const form = useForm({ initialValues: { source: "", target: "" } });
  const set = useMutation({
    mutationFn: ({ source, target }: { source: string; target: string }) => setMeaning(kind, source, target || null),
    onError: () => {},
    onSuccess: () => {
      form.reset();
      tell("Mapping saved.");
    },
  });
  return (
    <Panel>
      <form onSubmit={form.onSubmit((values) => set.mutate(values))}>
        <Stack gap="sm">
          <Group align="flex-end" gap="sm">
            <TextInput label="Name" placeholder={kind === "EVENT_TYPE" ? "account.opened" : "contactMail"} required maxLength={100} flex={1} miw={180} maw={320} {...form.getInputProps("source")} />
            <NativeSelect label="Canonical type" data={[{ value: "", label: "Not mapped" }, ...targets.map((value) => ({ value, label: word(value) }))]} {...form.getInputProps("target")} />
            <Button type="submit" loading={set.isPending}>Add mapping</Button>
          </Group>
          <Text c="dimmed" fz="xs">Names match in any case and style. “Not mapped” turns a built-in mapping off.</Text>
          {set.error && <Failure error={set.error} />}
        </Stack>
      </form>
    </Panel>
  );
}

function Remove({ id, source }: { id: number; source: string }) {
  const remove = $api.useMutation("delete", "/api/mappings/{id}", { onSuccess: refreshMeanings });
  return (
    <Confirm action="Remove" question={`Remove the mapping of ${source}?`} loading={remove.isPending} onConfirm={() => remove.mutate({ params: { path: { id } } })}>
      The built-in mapping of the name applies again, if there is one. Affected identities are rescored.
    </Confirm>
  );
}

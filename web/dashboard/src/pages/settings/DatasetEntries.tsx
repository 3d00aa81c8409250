// The values of one dataset, the team's own first.

import { Button, Group, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, refresh, tell, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Answer, Empty, Failure } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Confirm } from "../../parts/Confirm";
import { ChoiceFilter, SearchFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { Time } from "../../parts/Time";
import { OwnChip, SCOPES } from "./scope";

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
    { title: "Actions", cell: ({ id, value }) => (manage && id != null ? <Remove slug={slug} id={id} value={value} /> : "") },
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
  const create = $api.useMutation("post", "/api/datasets/{slug}/entries", {
    onError: () => {},
    onSuccess: async ({ value }) => {
      form.reset();
      tell(`${value} added. Affected identities are rescored.`);
      await refresh("/api/datasets");
    },
  });
  const submit = form.onSubmit(({ value, included, note }) => {
    create.mutate({ params: { path: { slug } }, body: { value: value.trim(), included, note: note.trim() || null } });
  }, (errors) => showFirst(form, errors));
  const failure = useRefusal(form, create.error);
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
            <Button type="submit" loading={create.isPending} className="beside-label">Add</Button>
          </Group>
          <Switch
            label="Included" description={`Off excludes a built-in value.${isNetwork ? "" : " Applies to subdomains as well."}`}
            {...form.getInputProps("included", { type: "checkbox" })}
          />
          {Boolean(failure) && <Failure error={failure} />}
        </Stack>
      </form>
    </Panel>
  );
}

function Remove({ slug, id, value }: { slug: string; id: number; value: string }) {
  const remove = $api.useMutation("delete", "/api/datasets/{slug}/entries/{id}", { onSuccess: () => refresh("/api/datasets") });
  return (
    <Confirm action="Remove" question={`Remove ${value}?`} loading={remove.isPending} onConfirm={() => remove.mutate({ params: { path: { slug, id } } })}>
      <Text fz="sm">The built-in value applies again. Affected identities are rescored.</Text>
    </Confirm>
  );
}

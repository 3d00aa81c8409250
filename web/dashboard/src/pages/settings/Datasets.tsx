// Lists that scores look things up in: what is shipped, and what the team adds or takes away.

import { Text } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMayNot } from "../../app/session";
import { Answer } from "../../parts/Answer";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { word } from "../../parts/score";
import { DatasetEntries } from "./DatasetEntries";
import { whole } from "./whole";

type Dataset = Schemas["DatasetBody"];

/** "disposable-email-domains" in words. */
function nameOf(slug: string): string {
  return word(slug.replaceAll("-", "_"));
}

const COLUMNS: Column<Dataset>[] = [
  {
    title: "Dataset",
    cell: ({ slug, description }) => (
      <>
        <PageLink to="/settings/datasets" search={{ dataset: slug }} fw={500}>{nameOf(slug)}</PageLink>
        <Text c="dimmed" fz="xs" maw={420} miw={220}>{description}</Text>
      </>
    ),
  },
  { title: "Built-in", cell: ({ globalEntryCount }) => <span className="numbers">{globalEntryCount.toLocaleString("en")}</span> },
  { title: "Custom", cell: ({ customerEntryCount }) => <span className="numbers">{customerEntryCount.toLocaleString("en")}</span> },
  { title: "Updated", cell: (dataset) => <Updated dataset={dataset} /> },
];

/** The version of many a list is its date, which is shown already. */
function madeOf(source: string, version: string, takenAt: string): string {
  const begun = source.charAt(0).toUpperCase() + source.slice(1);
  return takenAt.startsWith(version) || source.includes(version) ? begun : `${begun}, ${version}`;
}

/** When the built-in part is from, and how much less it says since. */
function Updated({ dataset: { takenAt, source, version, freshness } }: { dataset: Dataset }) {
  const percent = Math.round(freshness * 100);
  return (
    <>
      <Time at={takenAt} />
      <Text c="dimmed" fz="xs" maw={280} miw={140}>{madeOf(source, version, takenAt)}</Text>
      {percent < 100 && <Text c="dimmed" fz="xs" maw={280} title="Old lists miss new entries">Counts {percent}% at its age</Text>}
    </>
  );
}

export function Datasets() {
  const [{ dataset: slug }] = usePageSearch();
  const datasets = $api.useQuery("get", "/api/datasets");
  const mayNot = useMayNot("manage", "add and exclude entries");
  const open = datasets.data?.find((dataset) => dataset.slug === slug);
  if (slug) {
    return (
      <Page title={nameOf(slug)} mayNot={mayNot} actions={<PageLink to="/settings/datasets" fz="sm">All datasets</PageLink>}>
        {open && <Text c="dimmed" fz="sm" maw={760}>{open.description}</Text>}
        <DatasetEntries key={slug} slug={slug} />
      </Page>
    );
  }
  return (
    <Page title="Datasets" mayNot={mayNot}>
      <Answer of={datasets} lines={6}>
        {(all) => <ListTable label="Datasets" page={whole(all)} columns={COLUMNS} rowKey={(dataset) => dataset.slug} empty={null} />}
      </Answer>
    </Page>
  );
}

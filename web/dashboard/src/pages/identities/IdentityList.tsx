// Everybody who has been seen, with their scores.

import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { stringifySearch, usePageSearch } from "../../app/search";
import { Answer, Empty } from "../../parts/Answer";
import { Badges, ScoreChip } from "../../parts/Chip";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { CATEGORIES, scoreOf, word } from "../../parts/score";
import { Time } from "../../parts/Time";
import { Who } from "../../parts/Who";
import { FilterBar } from "./FilterBar";
import { filtersOf, queryOf, useClearFilters } from "./filters";
import { SavedViews } from "./SavedViews";

type Identity = Schemas["IdentityBody"];

const COLUMNS: Column<Identity>[] = [
  { title: "Identity", place: "head", width: "30%", sort: "displayName", cell: (identity) => <Who identity={identity} /> },
  ...CATEGORIES.map((category): Column<Identity> => ({
    title: word(category),
    place: "part",
    sort: `${category.toLowerCase()}Score`,
    cell: (identity) => <ScoreChip category={category} value={scoreOf(identity, category)} />,
  })),
  { title: "Badges", place: "corner", cell: ({ badges }) => <div style={{ minWidth: 136 }}><Badges badges={badges} most={1} /></div> },
  { title: "Last received", place: "side", sort: "lastTrackedAt", first: "DESC", cell: ({ lastTrackedAt }) => <Time at={lastTrackedAt} /> },
  { title: "First seen", place: "none", sort: "firstSeenAt", first: "DESC", cell: ({ firstSeenAt }) => <Time at={firstSeenAt} /> },
];

export function IdentityList() {
  const [search] = usePageSearch();
  const identities = $api.useQuery("get", "/api/identities", { params: { query: queryOf(search) } }, { placeholderData: keepPreviousData });
  return (
    <Page title="Identities" actions={<Export />}>
      <SavedViews />
      <FilterBar />
      <Answer of={identities} lines={12}>
        {(page) => (
          <ListTable
            label="Identities"
            page={page}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            href={({ id }) => `/identities/${encodeURIComponent(id)}`}
            isWaiting={identities.isPlaceholderData}
            empty={<Nobody />}
          />
        )}
      </Answer>
    </Page>
  );
}

/** Everybody that the filters let through, as a file for a spreadsheet. */
function Export() {
  const [search] = usePageSearch();
  const href = `/api/identities.csv${stringifySearch(filtersOf(search))}`;
  return <Button component="a" href={href} download="identities.csv" size="xs" variant="default" leftSection={<IconDownload size={14} />}>Export as CSV</Button>;
}

function Nobody() {
  const [search] = usePageSearch();
  const clear = useClearFilters();
  if (Object.keys(filtersOf(search)).length > 0) {
    return (
      <Empty title="No matching identities">
        No identity matches all of these filters. <Button size="compact-sm" variant="light" onClick={clear}>Clear filters</Button>
      </Empty>
    );
  }
  return (
    <Empty title="No identities yet">
      Every user that your application sends events about appears here, with their scores. <PageLink to="/">Home</PageLink> shows how to send the first event.
    </Empty>
  );
}

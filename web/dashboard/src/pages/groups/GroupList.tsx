// The groups that users belong to: organisations, teams, whatever your events name.

import { Group as Row } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { useListQuery, usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { SearchFilter, TextFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { Time } from "../../parts/Time";
import { NewGroup } from "./NewGroup";

type Group = Schemas["GroupBody"];

const COLUMNS: Column<Group>[] = [
  { title: "Group", sort: "displayName", cell: ({ type, id, displayName }) => <PageLink to="/groups/$type/$id" params={{ type, id }} fw={500} className="break">{displayName ?? id}</PageLink> },
  { title: "Type", cell: ({ type }) => <Chip>{word(type)}</Chip> },
  { title: "Members", sort: "identityCount", first: "DESC", cell: ({ identityCount }) => <span className="numbers">{identityCount.toLocaleString("en")}</span> },
  { title: "Created", sort: "createdAt", first: "DESC", cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: "Last seen", sort: "lastTrackedAt", first: "DESC", cell: ({ lastTrackedAt }) => <Time at={lastTrackedAt} /> },
];

export function GroupList() {
  const { manage } = useMay();
  const [{ term, type, identity }] = usePageSearch();
  const query = { ...useListQuery(), term, type, identity };
  const groups = $api.useQuery("get", "/api/groups", { params: { query } }, { placeholderData: keepPreviousData });
  return (
    <Page title="Groups" actions={manage && <NewGroup />}>
      <Row gap="xs">
        <SearchFilter label="Name or id" />
        <TextFilter name="type" label="Type, exactly" w={150} />
        <TextFilter name="identity" label="With this identity" w={170} />
      </Row>
      <Answer of={groups} lines={10}>
        {(page) => (
          <ListTable
            label="Groups"
            page={page}
            columns={COLUMNS}
            rowKey={({ type, id }) => `${type} ${id}`}
            href={({ type, id }) => `/groups/${encodeURIComponent(type)}/${encodeURIComponent(id)}`}
            isWaiting={groups.isPlaceholderData}
            empty={term || type || identity
              ? <Empty title="No group matches" />
              : <Empty title="No groups yet">An event that names <code>groups</code> makes its identity a member of each: <code>{'"groups": [{"type": "organization", "id": "acme"}]'}</code></Empty>}
          />
        )}
      </Answer>
    </Page>
  );
}

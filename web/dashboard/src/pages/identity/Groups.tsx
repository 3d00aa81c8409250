// The groups an identity is in.

import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { ListTable, type Column } from "../../parts/ListTable";
import { PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { Time } from "../../parts/Time";
import { useListQuery } from "../../app/search";

type Group = Schemas["GroupBody"];

const COLUMNS: Column<Group>[] = [
  { title: "Group", sort: "displayName", cell: ({ type, id, displayName }) => <PageLink to="/groups/$type/$id" params={{ type, id }} fw={500} className="break">{displayName || id}</PageLink> },
  { title: "Type", cell: ({ type }) => word(type) },
  { title: "Members", cell: ({ identityCount }) => <span className="numbers">{identityCount.toLocaleString("en")}</span> },
  { title: "Created", sort: "createdAt", first: "DESC", cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: "Last seen", sort: "lastTrackedAt", first: "DESC", cell: ({ lastTrackedAt }) => <Time at={lastTrackedAt} /> },
];

export function Groups({ id }: { id: string }) {
  const query = { ...useListQuery(), identity: id };
  const groups = $api.useQuery("get", "/api/groups", { params: { query } }, { placeholderData: keepPreviousData });
  return (
    <Answer of={groups} lines={4}>
      {(page) => (
        <ListTable
          label="Groups"
          page={page}
          columns={COLUMNS}
          rowKey={({ type, id }) => `${type} ${id}`}
          href={({ type, id }) => `/groups/${encodeURIComponent(type)}/${encodeURIComponent(id)}`}
          isWaiting={groups.isPlaceholderData}
          empty={<Empty title="No groups">An identity becomes a member of each group that its events name, such as an organisation.</Empty>}
        />
      )}
    </Answer>
  );
}

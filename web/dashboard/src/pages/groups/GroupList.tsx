// The groups that users belong to: organisations, teams, whatever your events name.

import { Group } from "@mantine/core";
import { usePageSearch } from "../../app/search";
import { useMay, useMayNot } from "../../app/session";
import { Empty } from "../../parts/Answer";
import { SearchFilter, TextFilter } from "../../parts/Filters";
import { Page } from "../../parts/Page";
import { GroupsOf } from "../../parts/Lists";
import { NewGroup } from "./NewGroup";

export function GroupList() {
  const { manage } = useMay();
  const [{ term, type, identity }] = usePageSearch();
  const filter = { ...(term ? { term } : {}), ...(type ? { type } : {}), ...(identity ? { identity } : {}) };
  const empty = Object.keys(filter).length > 0
    ? <Empty title="No matching groups" />
    : <Empty title="No groups yet">An event with <code>groups</code> makes its identity a member of each: <code>{'"groups": [{"type": "organization", "id": "acme"}]'}</code></Empty>;
  return (
    <Page title="Groups" mayNot={useMayNot("manage", "create groups")} actions={manage && <NewGroup />}>
      <Group gap="xs" className="filters">
        <SearchFilter label="Name or id" />
        <TextFilter name="type" label="Group type" w={150} />
        <TextFilter name="identity" label="Identity id" w={170} />
      </Group>
      <GroupsOf filter={filter} empty={empty} />
    </Page>
  );
}

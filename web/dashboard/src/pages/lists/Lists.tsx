// Lists of the team's own.

import { Text } from "@mantine/core";
import { $api } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { whole } from "../settings/whole";
import { kindOf, type List } from "./listType";
import { NewList } from "./NewList";

const COLUMNS: Column<List>[] = [
  {
    title: "List",
    cell: ({ id, name, description }) => (
      <>
        <PageLink to="/settings/lists/$id" params={{ id: String(id) }} fw={500} className="break">{name}</PageLink>
        {description && <Text c="dimmed" fz="xs" maw={420} className="break">{description}</Text>}
      </>
    ),
  },
  { title: "Type", cell: ({ type }) => kindOf(type).words },
  { title: "Entries", cell: ({ entryCount }) => <span className="numbers">{entryCount.toLocaleString("en")}</span> },
  { title: "Trusted", cell: ({ trusted }) => (trusted ? <Chip>Trusted</Chip> : "–") },
  { title: "Updated", cell: ({ updatedAt }) => <Time at={updatedAt} /> },
];

export function Lists() {
  const { manage } = useMay();
  const lists = $api.useQuery("get", "/api/lists");
  const mayNot = useMayNot("manage", "create, change and delete lists, except those that a ban of a ring creates");
  return (
    <Page title="Lists" mayNot={mayNot} actions={manage && <NewList />}>
      <Answer of={lists} lines={4}>
        {(all) => (
          <ListTable
            label="Lists" page={whole(all)} columns={COLUMNS} rowKey={({ id }) => id}
            empty={<Empty title="No lists yet">A trusted list names what people may share without being suspected for it, such as your office's network. Other lists keep what you know of.</Empty>}
          />
        )}
      </Answer>
    </Page>
  );
}

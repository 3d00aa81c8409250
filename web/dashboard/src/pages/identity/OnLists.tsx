// The lists of the team's that an identity is on, and the way off them.

import { Group, Text } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { ListTable, type Column } from "../../parts/ListTable";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { End, RemoveEntry } from "../lists/RemoveEntry";
import { UndoAct } from "../settings/UndoAct";
import { whole } from "../settings/whole";

type Listed = Schemas["ListedBody"];

export function OnLists({ id }: { id: string }) {
  const may = useMay();
  const listed = $api.useQuery("get", "/api/identities/{id}/list-entries", { params: { path: { id } } });
  const columns: Column<Listed>[] = [
    { title: "List", cell: ({ list }) => <Group gap={4}><PageLink to="/settings/lists/$id" params={{ id: String(list.id) }} className="break">{list.name}</PageLink>{list.trusted && <Chip tone={3}>Trusted</Chip>}</Group> },
    { title: "Entry", cell: (one) => <Entry of={one} /> },
    { title: "Comment", cell: ({ entry }) => <span className="break">{entry.comment || "–"}</span> },
    { title: "Used by", cell: ({ rules, list }) => rules.join(", ") || (list.trusted ? "–" : "No rule: it does nothing") },
    { title: "Ends", cell: ({ entry }) => <End at={entry.endsAt} /> },
    { title: "By", cell: ({ entry }) => <span className="break">{entry.author}</span> },
    { title: "Added", cell: ({ entry }) => <Time at={entry.createdAt} /> },
    {
      title: "Actions",
      // What is on a trusted list is an admin's.
      cell: ({ list, entry }) => (may.manage || (may.triage && !list.trusted)) && <RemoveEntry list={list} entry={entry} />,
    },
  ];
  return (
    <Answer of={listed} lines={3}>
      {(listed) => (
        <>
          {may.triage && bansOf(listed).map(({ banAuditId, entry }) => (
            <Group key={banAuditId} gap="xs" mb="xs">
              <Text fz="sm">{entry.author} banned the ring <Time at={entry.createdAt} />.</Text>
              <UndoAct id={banAuditId} label="Undo the ban" title="Undo the ban of the whole ring?" />
            </Group>
          ))}
          <ListTable
            label="Lists" page={whole(listed)} columns={columns} rowKey={({ list, entry }) => `${list.id}-${entry.id}`}
            empty={<Empty title="On no list">{may.triage ? "More → Add to a list puts its id or e-mail address on one. " : ""}A device or an address of it that is on one of your lists is shown here too.</Empty>}
          />
        </>
      )}
    </Answer>
  );
}

/** The bans that have put entries there, each once. */
function bansOf(listed: Listed[]): (Listed & { banAuditId: number })[] {
  const banned = listed.filter((one): one is Listed & { banAuditId: number } => one.banAuditId != null);
  return [...new Map(banned.toReversed().map((one) => [one.banAuditId, one])).values()];
}

function Entry({ of: { entry, shown } }: { of: Listed }) {
  const others = shown.filter((value) => value !== entry.value);
  return (
    <>
      <span className="mono break">{entry.value}</span>
      {others.length > 0 && <Text fz="xs" c="dimmed" className="break">shows {others.join(", ")}</Text>}
    </>
  );
}

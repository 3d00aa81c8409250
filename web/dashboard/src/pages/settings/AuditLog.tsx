// Who did what, when, from where, and what it changed.

import type { paths } from "@dregs/api";
import { Button, Group, Text, UnstyledButton } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay, useMayNot } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { ChoiceFilter, TextFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { TimeFilter, toUtc } from "../../parts/TimeFilter";
import { ACTION_OPTIONS, actionWords, TARGET_OPTIONS } from "./audit";
import { Changes, Target } from "./AuditEntry";
import { useTargets, type Target as Named } from "./targets";
import { UndoAct } from "./UndoAct";

type Entry = Schemas["AuditEntryBody"];
type Query = NonNullable<paths["/api/audit-log"]["get"]["parameters"]["query"]>;

const columns = (targetOf: (entry: Entry) => Named): Column<Entry>[] => [
  { title: "Time", sort: "at", first: "ASC", cell: ({ at }) => <Time at={at} /> },
  { title: "Actor", cell: ({ actor, actorType, mcpToken }) => <Only name="actor" value={actor} note={mcpToken ? `by ${mcpToken}` : KINDS[actorType]} /> },
  { title: "IP address", cell: ({ address }) => <span className="mono">{address ?? "–"}</span> },
  { title: "Action", cell: ({ action }) => <Only name="action" value={action} words={actionWords(action)} /> },
  { title: "Target", cell: (entry) => <Target entry={entry} target={targetOf(entry)} /> },
  { title: "Changes", width: "34%", cell: (entry) => <><Changes entry={entry} />{entry.canBeUndone && <UndoAct id={entry.id} title={`Undo “${actionWords(entry.action)}”?`} />}{entry.undone && <Undone by={entry.undone} />}</> },
];

/** Where it was undone, and by whom. */
function Undone({ by: { id, at, actor } }: { by: Schemas["UndoingBody"] }) {
  return <Text c="dimmed" fz="xs" className="break"><PageLink to="/settings/audit-log" search={{ id: String(id) } as never} fz="inherit">Undone</PageLink> by {actor}, <Time at={at} /></Text>;
}

/** Those who act, but for people. */
const KINDS: Record<string, string> = { CREDENTIAL: "key", SYSTEM: "server" };

/** A value that leads to the entries which have it. */
function Only({ name, value, words = value, note }: { name: string; value: string; words?: string; note?: string | undefined }) {
  const [, change] = usePageSearch();
  return (
    <>
      <UnstyledButton fz="inherit" maw={260} className="break" style={{ verticalAlign: "bottom" }} title={`${value}: show only these`} onClick={() => change({ [name]: value })}>
        {words}
      </UnstyledButton>
      {note && <Text span c="dimmed" inherit> ({note})</Text>}
    </>
  );
}

export function AuditLog() {
  const { manage } = useMay();
  return (
    <Page title="Audit log" mayNot={useMayNot("manage", "read the audit log: who changed what, when, and from where")}>
      {manage && <Entries />}
    </Page>
  );
}

function Entries() {
  const [search] = usePageSearch();
  const { id, actor, action, targetType, targetId, sort, order, pageNumber } = search;
  const query: Query = {
    ...given({ actor, action, targetType, targetId, sort }),
    ...given({ from: toUtc(search.from ?? ""), to: toUtc(search.to ?? "") }),
    ...(order && { order: order === "ASC" ? "ASC" : "DESC" }),
    ...(pageNumber && { pageNumber: Number(pageNumber) }),
    ...(Number(id) && { id: Number(id) }),
  };
  const log = $api.useQuery("get", "/api/audit-log", { params: { query } }, { placeholderData: keepPreviousData });
  const isFiltered = [id, actor, action, targetType, targetId, search.from, search.to].some(Boolean);
  return (
    <>
      <Filters />
      <Answer of={log} lines={10}>
        {(page) => <Table page={page} isWaiting={log.isPlaceholderData} isFiltered={isFiltered} />}
      </Answer>
    </>
  );
}

function Table({ page, isWaiting, isFiltered }: { page: Schemas["Page_AuditEntryBody"]; isWaiting: boolean; isFiltered: boolean }) {
  const targetOf = useTargets(page.content);
  return (
    <ListTable
      label="Audit log"
      page={page}
      columns={columns(targetOf)}
      rowKey={({ id }) => id}
      isWaiting={isWaiting}
      empty={isFiltered ? <Empty title="No matching entries" /> : <Empty title="No entries yet">Every change by a person or a key is recorded here.</Empty>}
    />
  );
}

function Filters() {
  return (
    <Group gap="xs" className="filters">
      <TextFilter name="actor" label="Actor: e-mail or key" />
      <ChoiceFilter name="action" label="Any action" options={ACTION_OPTIONS} />
      <ChoiceFilter name="targetType" label="Any target" options={TARGET_OPTIONS} />
      <TextFilter name="targetId" label="Target id" w={120} />
      <TimeFilter name="from" label="From" />
      <TimeFilter name="to" label="To" />
      <OnlyOne />
    </Group>
  );
}

/** An entry that an address leads to, and the way to all. */
function OnlyOne() {
  const [{ id }, change] = usePageSearch();
  return id ? <Button size="sm" variant="default" rightSection={<IconX size={14} />} onClick={() => change({ id: undefined })}>Entry {id}</Button> : null;
}

/** Those of `parts` that say something. */
function given<Name extends string>(parts: Record<Name, string | undefined>): Partial<Record<Name, string>> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value)) as Partial<Record<Name, string>>;
}

// Who did what, when, from where, and what it changed.

import type { paths } from "@dregs/api";
import { Group, Text, UnstyledButton } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay, useMayNot } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { ChoiceFilter, TextFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page } from "../../parts/Page";
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
  { title: "Changes", width: "34%", cell: (entry) => <><Changes entry={entry} />{entry.canBeUndone && <UndoAct id={entry.id} />}</> },
];

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
  const { actor, action, targetType, targetId, sort, order, pageNumber } = search;
  const query: Query = {
    ...given({ actor, action, targetType, targetId, sort }),
    ...given({ from: toUtc(search.from ?? ""), to: toUtc(search.to ?? "") }),
    ...(order && { order: order === "ASC" ? "ASC" : "DESC" }),
    ...(pageNumber && { pageNumber: Number(pageNumber) }),
  };
  const log = $api.useQuery("get", "/api/audit-log", { params: { query } }, { placeholderData: keepPreviousData });
  const isFiltered = [actor, action, targetType, targetId, search.from, search.to].some(Boolean);
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
    </Group>
  );
}

/** Those of `parts` that say something. */
function given<Name extends string>(parts: Record<Name, string | undefined>): Partial<Record<Name, string>> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value)) as Partial<Record<Name, string>>;
}

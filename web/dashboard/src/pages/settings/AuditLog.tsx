// Who did what, when, from where, and what it changed.

import type { paths } from "@dregs/api";
import { Group, Text, UnstyledButton } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { isUtc } from "../../app/preferences";
import { usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { ChoiceFilter, TextFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page } from "../../parts/Page";
import { Time } from "../../parts/Time";
import { ACTION_OPTIONS, actionWords, TARGET_OPTIONS } from "./audit";
import { Changes, Target } from "./AuditEntry";

type Entry = Schemas["AuditEntryBody"];
type Query = NonNullable<paths["/api/audit-log"]["get"]["parameters"]["query"]>;

const COLUMNS: Column<Entry>[] = [
  { title: "Time", sort: "at", first: "ASC", cell: ({ at }) => <Time at={at} /> },
  { title: "Actor", cell: ({ actor, actorType, mcpToken }) => <Only name="actor" value={actor} note={mcpToken ? `by ${mcpToken}` : KINDS[actorType]} /> },
  { title: "IP address", cell: ({ address }) => <span className="mono">{address ?? "–"}</span> },
  { title: "Action", cell: ({ action }) => <Only name="action" value={action} words={actionWords(action)} /> },
  { title: "Target", cell: (entry) => <Target entry={entry} /> },
  { title: "Changes", width: "40%", cell: (entry) => <Changes entry={entry} /> },
];

/** Those who act, but for people. */
const KINDS: Record<string, string> = { CREDENTIAL: "key", SYSTEM: "server" };

/** A value that leads to the entries which have it. */
function Only({ name, value, words = value, note }: { name: string; value: string; words?: string; note?: string | undefined }) {
  const [, change] = usePageSearch();
  return (
    <>
      <UnstyledButton className="clip" fz="inherit" maw={200} title={`${value}: show only these`} onClick={() => change({ [name]: value })}>
        {words}
      </UnstyledButton>
      {note && <Text span c="dimmed" inherit> ({note})</Text>}
    </>
  );
}

export function AuditLog() {
  const { manage } = useMay();
  return (
    <Page title="Audit log">
      {manage ? <Entries /> : <Empty title="Only an admin can read the audit log">It records who changed what, when, and from where.</Empty>}
    </Page>
  );
}

function Entries() {
  const [search] = usePageSearch();
  const { actor, action, targetType, targetId, sort, order, pageNumber } = search;
  const query: Query = {
    ...given({ actor, action, targetType, targetId, sort }),
    ...given({ from: dayStart(search.from), to: dayStart(search.to, 1) }),
    ...(order && { order: order === "ASC" ? "ASC" : "DESC" }),
    ...(pageNumber && { pageNumber: Number(pageNumber) }),
  };
  const log = $api.useQuery("get", "/api/audit-log", { params: { query } }, { placeholderData: keepPreviousData });
  const isFiltered = [actor, action, targetType, targetId, search.from, search.to].some(Boolean);
  return (
    <>
      <Filters />
      <Answer of={log} lines={10}>
        {(page) => (
          <ListTable
            label="Audit log"
            page={page}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            isWaiting={log.isPlaceholderData}
            empty={isFiltered ? <Empty title="No matching entries" /> : <Empty title="No entries yet">Every change by a person or a key is recorded here.</Empty>}
          />
        )}
      </Answer>
    </>
  );
}

function Filters() {
  return (
    <Group gap="xs" className="filters">
      <TextFilter name="actor" label="Actor: e-mail or key" />
      <ChoiceFilter name="action" label="Any action" options={ACTION_OPTIONS} />
      <ChoiceFilter name="targetType" label="Any target" options={TARGET_OPTIONS} />
      <TextFilter name="targetId" label="Target id" w={120} />
      <Day name="from" label="From" />
      <Day name="to" label="To" />
    </Group>
  );
}

function Day({ name, label }: { name: string; label: string }) {
  return (
    <Group gap={6} wrap="nowrap">
      <Text span fz="sm" c="dimmed" aria-hidden>{label}</Text>
      <TextFilter name={name} label={`${label} (day)`} type="date" flex={1} miw={0} />
    </Group>
  );
}

/** Those of `parts` that say something. */
function given<Name extends string>(parts: Record<Name, string | undefined>): Partial<Record<Name, string>> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value)) as Partial<Record<Name, string>>;
}

/** When a day of the preferred zone begins, or one that is `later` by so many days. */
function dayStart(day: string | undefined, later = 0): string | undefined {
  const [year, month, date] = (day ?? "").split("-").map(Number);
  const parts = [year ?? NaN, (month ?? NaN) - 1, (date ?? NaN) + later] as const;
  const start = isUtc() ? new Date(Date.UTC(...parts)) : new Date(...parts);
  return Number.isNaN(start.getTime()) ? undefined : start.toISOString();
}

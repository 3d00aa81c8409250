// Waves: what those whose escalations are open have in common, so that they are looked at, and decided on, together.

import { Group, Stack, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { $api, tellError, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { Chip, StatusChip } from "../../parts/Chip";
import { Confirm } from "../../parts/Confirm";
import { bounded, counted } from "../../parts/counts";
import { Panel } from "../../parts/Page";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { Time } from "../../parts/Time";
import { changeWords, filterOf, undo, type BulkChange } from "./bulk";
import { ActOnAll } from "./BulkChange";
import { ACTIVE, useQueueQuery } from "./escalations";
import { sharedWords } from "./shared";

type Wave = Schemas["WaveBody"];

export function Waves() {
  const { severity, rule, identity, outcome, assignee, overdue } = useQueueQuery();
  const query = filterOf({ severity, rule, identity, outcome, assignee, overdue }) as Record<string, string>;
  const waves = $api.useQuery("get", "/api/escalations/waves", { params: { query } });
  return (
    <Stack gap="md">
      <Answer of={waves} lines={6}>{(found) => <All found={found} query={query} />}</Answer>
      <Done />
    </Stack>
  );
}

function All({ found: { waves, lookedAt, others }, query }: { found: Schemas["WavesBody"]; query: Record<string, string> }) {
  if (waves.length === 0) {
    return (
      <div className="panel">
        <Empty title="No waves">Three identities or more with open escalations that share a device, an address, a mailbox or the like appear here as one.</Empty>
      </div>
    );
  }
  return (
    <>
      <Text fz="sm" c="dimmed">
        {counted(waves.length, "wave")} among {bounded(lookedAt, lookedAt < LOOKED_AT_MAX)} escalations that are not closed. {others === 0 ? "Every one is in a wave." : `${others.toLocaleString("en")} share nothing with others.`} Sharing something is no proof: look at some before you act on all.
      </Text>
      <Stack gap="sm" component="ul" m={0} p={0} style={{ listStyle: "none" }} aria-label="Waves">
        {waves.map((wave) => <li key={wave.shares}><One wave={wave} query={query} /></li>)}
      </Stack>
    </>
  );
}

/** What opened within so long has opened at one time. */
const AT_ONCE_MS = 60_000;
/** Escalations that the server looks at. */
const LOOKED_AT_MAX = 10_000;

function One({ wave, query }: { wave: Wave; query: Record<string, string> }) {
  const { triage } = useMay();
  const { kind, value, shares, escalations, open, assigned, identities, severity, escalationRules, firstOpenedAt, lastOpenedAt, examples } = wave;
  const search = { ...query, shares, status: ACTIVE };
  const rest = identities - examples.length;
  return (
    <section className="panel" aria-label={`Wave: ${sharedWords(kind, value)}`}>
      <Stack gap={6} p="md">
        <Group justify="space-between" gap="xs">
          <Group gap="xs" miw={0} style={{ flex: "1 1 16rem" }}>
            <StatusChip status={severity} />
            <Title order={2} className="break">{identities.toLocaleString("en")} identities share {sharedWords(kind, value)}</Title>
          </Group>
          <Group gap="xs" className="actions">
            <PageLink to="/escalations" search={search as never} fz="sm">Look at them</PageLink>
            {triage && <ActOnAll query={{ ...query, shares, status: ACTIVE }} total={escalations} isExact of="of this wave" />}
          </Group>
        </Group>
        <Text fz="sm">
          {counted(escalations, "escalation")}, {open.toLocaleString("en")} open{assigned > 0 && `, ${assigned.toLocaleString("en")} assigned`}, by {escalationRules.map(({ label }) => `“${label}”`).join(", ")};
          opened {Date.parse(lastOpenedAt) - Date.parse(firstOpenedAt) > AT_ONCE_MS && <>from <Time at={firstOpenedAt} /> to </>}<Time at={lastOpenedAt} />.
        </Text>
        <Text fz="sm" c="dimmed" component="div" className="break">
          {examples.map(({ id, label }, place) => <span key={id}>{place > 0 && ", "}<IdentityLink id={id} name={label} /></span>)}
          {rest > 0 && ` and ${rest.toLocaleString("en")} more`}
        </Text>
      </Stack>
    </section>
  );
}

const COLUMNS: [title: string, cell: (change: BulkChange) => ReactNode][] = [
  ["Time", ({ createdAt }) => <Time at={createdAt} />],
  ["By", ({ by }) => <span className="break">{by}</span>],
  ["Change", (change) => <>{changeWords(change)}{change.reason && <Text fz="xs" c="dimmed" className="break">{change.reason}</Text>}</>],
  ["Escalations", ({ changed, total }) => <span className="numbers">{changed.toLocaleString("en")} of {total.toLocaleString("en")}</span>],
  ["State", ({ state, undone, kept }) => <><Chip>{word(state)}</Chip>{state === "UNDONE" && kept > 0 && <Text fz="xs" c="dimmed">{undone.toLocaleString("en")} undone; {kept.toLocaleString("en")} had changed since</Text>}</>],
  ["Undo", (change) => <Undo change={change} />],
];

function Undo({ change: { id, state, undoableUntil } }: { change: BulkChange }) {
  const { triage } = useMay();
  if (!triage || state !== "FINISHED" || Date.parse(undoableUntil) <= Date.now()) return null;
  return (
    <Confirm action="Undo" size="compact-xs" question="Undo this change?" onConfirm={() => undo(id).catch(tellError)}>
      Each escalation goes back to what it was, and labels are withdrawn, unless somebody has changed it since. Your channels are told of it.
    </Confirm>
  );
}

/** Changes of many escalations, of the last days. */
function Done() {
  const done = $api.useQuery("get", "/api/escalations/bulk-changes");
  if (!done.data || done.data.length === 0) return null;
  return (
    <Panel title="Changes of many escalations" note="Of the last seven days, in which they can be undone.">
      <div className="table-box" data-stacks role="group" aria-label="Changes of many escalations" tabIndex={0}>
        <Table verticalSpacing={5} horizontalSpacing="xs">
          <Table.Thead>
            <Table.Tr>{COLUMNS.map(([title]) => <Table.Th key={title}>{title}</Table.Th>)}</Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {done.data.map((change) => (
              <Table.Tr key={change.id}>{COLUMNS.map(([title, cell]) => <Table.Td key={title} data-title={title}>{cell(change)}</Table.Td>)}</Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Panel>
  );
}

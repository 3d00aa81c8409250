// What waits for somebody: open escalations, those of one wave in one row, the most severe first.

import { Group, Stack, Text } from "@mantine/core";
import { useQueries, type UseQueryResult } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { StatusChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { bounded } from "../../parts/counts";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { COUNTED_MAX } from "../escalations/escalations";
import { goesOn, wavesOf, type Wave } from "./waves";

type Escalation = Schemas["EscalationBody"];

/** Escalations of one severity that are grouped; the summary counts the rest. */
const LOOKED_AT = 100;
const ROWS = 8;
/** However many are more severe, so many rows of each severity are shown. */
const ROWS_OF_EACH = 2;
const SEVERITIES = ["CRITICAL", "WARNING", "INFO"];

const openOf = (severity: string, rule?: string) =>
  $api.queryOptions("get", "/api/escalations", { params: { query: { status: "OPEN", severity, ...(rule && { rule }), pageSize: LOOKED_AT } } });

export function Attention() {
  const open = useQueries({ queries: SEVERITIES.map((severity) => openOf(severity)), combine: together });
  const summary = $api.useQuery("get", "/api/escalations/summary");
  const count = summary.data?.open;
  const title = count ? `Needs attention (${bounded(count, count < COUNTED_MAX)} open)` : "Needs attention";
  return (
    <Panel title={title} actions={<PageLink to="/escalations" fz="sm">Open the queue</PageLink>}>
      <Answer of={open} lines={4}>
        {(pages) => pages.every(({ content }) => content.length === 0)
          ? <Text c="dimmed">No open escalations. Escalation rules open them when their conditions hold.</Text>
          : <Rows pages={pages} total={Math.max(count ?? 0, pages.reduce((sum, { totalElements }) => sum + totalElements, 0))} />}
      </Answer>
    </Panel>
  );
}

type Page = Schemas["Page_EscalationBody"];

/** The answers for each severity as one. */
function together(answers: UseQueryResult<Page, unknown>[]) {
  const pages = answers.flatMap(({ data }) => data ?? []);
  return {
    data: pages.length === answers.length ? pages : undefined,
    error: answers.find(({ error }) => error)?.error ?? null,
    dataUpdatedAt: Math.min(...answers.map(({ dataUpdatedAt }) => dataUpdatedAt)),
    refetch: () => Promise.all(answers.map(({ refetch }) => refetch())),
  };
}

interface Told {
  wave: Wave<Escalation>;
  /** Whether there may be more of it than were looked at. */
  isCut: boolean;
}

/** The waves of an answer, newest first. */
function toldOf({ content, last }: Page): Told[] {
  const end = Math.min(...content.map(({ openedAt }) => Date.parse(openedAt)));
  return waves(content).map((wave) => ({ wave, isCut: !last && goesOn(wave, end) }));
}

/** The waves to show: those of the most severe, and of each other severity the newest. */
function shown(pages: Page[]): Told[] {
  const groups = pages.map(toldOf);
  const owed = groups.map((group) => Math.min(group.length, ROWS_OF_EACH));
  let free = ROWS - owed.reduce((sum, rows) => sum + rows, 0);
  return groups.flatMap((group, index) => {
    const more = Math.min(group.length - (owed[index] ?? 0), free);
    free -= more;
    return group.slice(0, (owed[index] ?? 0) + more);
  });
}

function waves(escalations: Escalation[]): Wave<Escalation>[] {
  return wavesOf(escalations, {
    reason: ({ escalationRule }) => String(escalationRule.id),
    at: ({ openedAt }) => Date.parse(openedAt),
  });
}

/** The same, with all of those of which there may be more: what came for the same reason is asked for alone. */
function useWhole(rows: Told[]): Told[] {
  const cut = rows.flatMap(({ wave, isCut }) => (isCut && wave.rows[0] ? [wave.rows[0]] : []));
  const asked = useQueries({ queries: cut.map(({ severity, escalationRule: { id } }) => openOf(severity, String(id))) });
  const found = asked.flatMap(({ data }) => (data ? toldOf(data) : []));
  return rows.map((told) => (told.isCut && found.find(({ wave }) => wave.rows[0]?.id === told.wave.rows[0]?.id)) || told);
}

function Rows({ pages, total }: { pages: Page[]; total: number }) {
  const rows = useWhole(shown(pages));
  const rest = total - rows.reduce((sum, { wave }) => sum + wave.rows.length, 0);
  return (
    <Stack gap={6} component="ul" m={0} p={0} style={{ listStyle: "none" }} aria-label="Open escalations">
      {rows.map(({ wave, isCut }) => <Row key={wave.rows[0]?.id} wave={wave} isCut={isCut} />)}
      {rest > 0 && <li><Text c="dimmed" fz="sm">and {rest.toLocaleString("en")} more</Text></li>}
    </Stack>
  );
}

function Row({ wave: { rows, to }, isCut }: { wave: Wave<Escalation>; isCut: boolean }) {
  const [first] = rows;
  if (!first) return null;
  const { severity, escalationRule, identity } = first;
  const isAlone = rows.length === 1;
  const search = { rule: escalationRule.id, ...(isAlone && { escalation: String(first.id) }) };
  return (
    <Group gap="sm" wrap="nowrap" align="flex-start" component="li">
      <StatusChip status={severity} />
      <Text component="div" flex={1} miw={0} className="break">
        {isAlone ? <IdentityLink id={identity.id} name={identity.label} /> : <Text span fw={600} inherit>{bounded(rows.length, !isCut)} identities</Text>}
        {" · "}
        <PageLink to="/escalations" search={search as never} inherit underline="always">{escalationRule.label}</PageLink>
      </Text>
      <Text c="dimmed" fz="sm" style={{ whiteSpace: "nowrap" }}><Time at={new Date(to).toISOString()} /></Text>
    </Group>
  );
}

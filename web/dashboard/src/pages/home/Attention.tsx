// What waits for somebody: open escalations, those of one wave in one row, the most severe first.

import { Group, Stack, Text } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { StatusChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { wavesOf, type Wave } from "./waves";

type Escalation = Schemas["EscalationBody"];

/** Escalations that are grouped, the most severe first; the summary counts the rest. */
const LOOKED_AT = 100;
const ROWS = 8;
const SEVERITIES = ["INFO", "WARNING", "CRITICAL"];

export function Attention() {
  const query = { status: "OPEN", sort: "severity", pageSize: LOOKED_AT };
  const open = $api.useQuery("get", "/api/escalations", { params: { query } });
  const summary = $api.useQuery("get", "/api/escalations/summary");
  const count = summary.data?.open;
  const title = count ? `Needs attention (${count.toLocaleString("en")} open)` : "Needs attention";
  return (
    <Panel title={title} actions={<PageLink to="/escalations" fz="sm">Open the queue</PageLink>}>
      <Answer of={open} lines={4}>
        {({ content, last, totalElements }) => content.length === 0
          ? <Text c="dimmed">No open escalations. Escalation rules open them when their conditions hold.</Text>
          : <Rows waves={sorted(content)} isCut={!last} total={Math.max(count ?? 0, totalElements)} />}
      </Answer>
    </Panel>
  );
}

function sorted(escalations: Escalation[]): Wave<Escalation>[] {
  const waves = wavesOf(escalations, {
    reason: ({ escalationRule, severity }) => `${escalationRule.id} ${severity}`,
    at: ({ openedAt }) => Date.parse(openedAt),
  });
  const severity = ({ rows }: Wave<Escalation>) => SEVERITIES.indexOf(rows[0]?.severity ?? "");
  return waves.toSorted((one, other) => severity(other) - severity(one));
}

function Rows({ waves, isCut, total }: { waves: Wave<Escalation>[]; isCut: boolean; total: number }) {
  const shown = waves.slice(0, ROWS);
  const rest = total - shown.reduce((sum, { rows }) => sum + rows.length, 0);
  return (
    <Stack gap={6} component="ul" m={0} p={0} style={{ listStyle: "none" }} aria-label="Open escalations">
      {shown.map((wave) => <Row key={wave.rows[0]?.id} wave={wave} isCut={isCut} />)}
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
        {isAlone ? <IdentityLink id={identity.id} name={identity.label} /> : <Text span fw={600} inherit>{rows.length}{isCut && "+"} identities</Text>}
        {" · "}
        <PageLink to="/escalations" search={search as never} inherit underline="always">{escalationRule.label}</PageLink>
      </Text>
      <Text c="dimmed" fz="sm" style={{ whiteSpace: "nowrap" }}><Time at={new Date(to).toISOString()} /></Text>
    </Group>
  );
}

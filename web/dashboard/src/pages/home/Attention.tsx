// What waits for somebody: open escalations, those of one rule in one row, the most severe first.

import { Stack, Text } from "@mantine/core";
import { useQueries, type UseQueryResult } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { StatusChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { bounded, counted } from "../../parts/counts";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { ACTIVE, COUNTED_MAX } from "../escalations/escalations";
import { useEscalationRules } from "../rules/rules";
import classes from "./Home.module.css";

type Escalation = Schemas["EscalationBody"];
type Page = Schemas["Page_EscalationBody"];

/** Escalations that are looked at; where there are more, each rule is asked for its own. */
const LOOKED_AT = 100;
const ROWS = 8;
/** However many are more severe, so many rows of each severity are shown. */
const ROWS_OF_EACH = 2;
const SEVERITIES = ["CRITICAL", "WARNING", "INFO"];

const openOf = (pageSize: number, rule?: string) =>
  $api.queryOptions("get", "/api/escalations", { params: { query: { status: "OPEN", pageSize, ...(rule && { rule }) } } });

export function Attention() {
  const [open] = useQueries({ queries: [openOf(LOOKED_AT)] });
  const summary = $api.useQuery("get", "/api/escalations/summary");
  const count = summary.data?.open;
  const title = count ? `Needs attention (${bounded(count, count < COUNTED_MAX)} open)` : "Needs attention";
  return (
    <Panel title={title} actions={<><Overdue count={summary.data?.overdue ?? 0} /><PageLink to="/escalations" fz="sm">Open the queue</PageLink></>}>
      <Answer of={open} lines={4}>
        {(page) => page.content.length === 0
          ? <Text c="dimmed">No open escalations. Escalation rules open them when their conditions hold.</Text>
          : <Rows page={page} total={Math.max(count ?? 0, page.totalElements)} />}
      </Answer>
    </Panel>
  );
}

function Overdue({ count }: { count: number }) {
  if (count === 0) return null;
  return (
    <PageLink to="/escalations" search={{ overdue: "true", status: ACTIVE } as never} fz="sm">
      <span className="chip" data-tone="0">{bounded(count, count < COUNTED_MAX)} overdue</span>
    </PageLink>
  );
}

/** What one rule has opened. */
interface OfRule {
  newest: Escalation;
  count: number;
  isExact: boolean;
}

/** What each rule has opened, the most severe and then the newest first. */
function useByRule(page: Page): OfRule[] {
  const { data: rules = [] } = useEscalationRules();
  const asked = useQueries({ queries: page.last ? [] : rules.map(({ id }) => openOf(1, String(id))), combine: answers });
  const found = new Map<string, OfRule>();
  for (const newest of page.content) {
    const known = found.get(newest.escalationRule.id);
    if (known) known.count += 1;
    else found.set(newest.escalationRule.id, { newest, count: 1, isExact: page.last });
  }
  for (const { content: [newest], totalElements, totalIsExact } of asked) {
    if (newest) found.set(newest.escalationRule.id, { newest, count: totalElements, isExact: totalIsExact });
  }
  const rank = ({ newest }: OfRule) => SEVERITIES.indexOf(newest.severity);
  return [...found.values()].toSorted((one, other) => rank(one) - rank(other) || Date.parse(other.newest.openedAt) - Date.parse(one.newest.openedAt));
}

function answers(asked: UseQueryResult<Page, unknown>[]): Page[] {
  return asked.flatMap(({ data }) => data ?? []);
}

/** The rows to show: those of the most severe, and of each other severity the newest. */
function shown(all: OfRule[]): OfRule[] {
  const groups = SEVERITIES.map((severity) => all.filter(({ newest }) => newest.severity === severity));
  const owed = groups.map((group) => Math.min(group.length, ROWS_OF_EACH));
  let free = ROWS - owed.reduce((sum, rows) => sum + rows, 0);
  return groups.flatMap((group, index) => {
    const more = Math.min(group.length - (owed[index] ?? 0), free);
    free -= more;
    return group.slice(0, (owed[index] ?? 0) + more);
  });
}

function Rows({ page, total }: { page: Page; total: number }) {
  const all = useByRule(page);
  const rows = shown(all);
  const others = all.length - rows.length;
  const isExact = rows.every(({ isExact }) => isExact);
  const rest = isExact ? total - rows.reduce((sum, { count }) => sum + count, 0) : 0;
  const ofOthers = others > 0 ? ` of ${counted(others, "other rule")}` : "";
  return (
    <Stack gap={6} component="ul" m={0} p={0} style={{ listStyle: "none" }} aria-label="Open escalations">
      {rows.map((row) => <Row key={row.newest.escalationRule.id} row={row} />)}
      {(others > 0 || rest > 0) && (
        <li><PageLink to="/escalations" fz="sm">and {rest > 0 && `${rest.toLocaleString("en")} `}more{ofOthers}</PageLink></li>
      )}
    </Stack>
  );
}

function Row({ row: { newest, count, isExact } }: { row: OfRule }) {
  const { id, severity, escalationRule, identity, openedAt } = newest;
  const isAlone = count === 1 && isExact;
  const search = { rule: escalationRule.id, ...(isAlone && { escalation: String(id) }) };
  const rule = <PageLink to="/escalations" search={search as never} inherit underline="always">{escalationRule.label}</PageLink>;
  return (
    <li className={classes.row}>
      <StatusChip status={severity} />
      <Text component="div" miw={0} className="break">
        {isAlone
          ? <IdentityLink id={identity.id} name={identity.label} isInList beside={<>· {rule}</>} />
          : <><Text span fw={600} inherit>{bounded(count, isExact)} {count === 1 ? "identity" : "identities"}</Text> · {rule}</>}
      </Text>
      <Text c="dimmed" fz="sm" style={{ whiteSpace: "nowrap" }}><Time at={openedAt} /></Text>
    </li>
  );
}

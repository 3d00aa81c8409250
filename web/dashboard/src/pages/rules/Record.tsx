// The record of a rule, a badge or an analyzer: week by week, and with which others it matches the same identities.

import { Alert, Stack, Table, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useMemo } from "react";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { beginOfDay } from "../../parts/days";
import { LineChart } from "../../parts/LineChart";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { useBadgeName, useBadgeRules } from "./rules";

type Record = Schemas["RecordBody"];
type Overlap = Schemas["OverlapBody"];

/** It is much to count, and changes slowly. */
const FRESH = { staleTime: 60_000 };
/** Of the others, those that are shown. */
const OVERLAPS = 10;

export function RuleRecord({ id }: { id: number }) {
  return <Recorded record={$api.useQuery("get", "/api/labels/accuracy/rules/{id}", { params: { path: { id } } }, FRESH)} opens />;
}

export function BadgeRecord({ slug }: { slug: string }) {
  return <Recorded record={$api.useQuery("get", "/api/labels/accuracy/badges/{slug}", { params: { path: { slug } } }, FRESH)} />;
}

export function AnalyzerRecord({ id }: { id: string }) {
  return <Recorded record={$api.useQuery("get", "/api/labels/accuracy/analyzers/{id}", { params: { path: { id } } }, FRESH)} />;
}

function Recorded({ record, opens = false }: { record: Parameters<typeof Answer<Record>>[0]["of"]; opens?: boolean }) {
  return (
    <>
      <Panel title="Week by week" note={opens ? "Escalations it opened, and labels of whom it concerned, in the last 26 weeks." : "Labels of whom it concerned in the last 26 weeks."}>
        <Answer of={record} lines={4}>
          {({ weeks, jumped }) => (
            <>
              {jumped && <Jumped jumped={jumped} />}
              <Weeks weeks={weeks} opens={opens} />
            </>
          )}
        </Answer>
      </Panel>
      <Panel title="Overlap" note="Which other rules, badges and analyzers have matched the same identities as this rule in any of its versions.">
        <Answer of={record} lines={3}>{(record) => <Overlaps record={record} />}</Answer>
      </Panel>
    </>
  );
}

function Jumped({ jumped: { at, count, expected } }: { jumped: NonNullable<Record["jumped"]> }) {
  return (
    <Alert color="orange" icon={<IconAlertTriangle />} p="xs">
      <Text fz="sm"><Time at={at} />: it matched {count.toLocaleString("en")} times in a day. By the four weeks before, {expected.toLocaleString("en")} were to be expected.</Text>
    </Alert>
  );
}

function Weeks({ weeks, opens }: { weeks: Record["weeks"]; opens: boolean }) {
  const times = useMemo(() => weeks.map(({ begin }) => beginOfDay(begin)), [weeks]);
  // Of those nobody has judged nobody was right or wrong.
  const isLabeled = weeks.some(({ right, wrong }) => right + wrong > 0);
  const series = useMemo(
    () => [
      ...(opens ? [{ label: "Opened", colour: "var(--calm-mark)", values: weeks.map(({ opened }) => opened ?? 0) }] : []),
      ...(isLabeled
        ? [
            { label: "Right", colour: "var(--band-3-mark)", values: weeks.map(({ right }) => right) },
            { label: "Wrong", colour: "var(--band-0-mark)", values: weeks.map(({ wrong }) => wrong) },
          ]
        : []),
    ],
    [weeks, opens, isLabeled],
  );
  const total = (of: (week: Record["weeks"][number]) => number | null | undefined) => weeks.reduce((sum, week) => sum + (of(week) ?? 0), 0);
  const [opened, right, wrong] = [total((week) => week.opened), total((week) => week.right), total((week) => week.wrong)];
  if (opened + right + wrong === 0) return <Text c="dimmed" fz="sm">Nothing in these weeks.</Text>;
  const label = `${opens ? `${counted(opened, "escalation")} opened, ` : ""}${counted(right, "label")} right, ${counted(wrong, "label")} wrong, by week`;
  return (
    <>
      <LineChart label={label} times={times} series={series} height={160} />
      {!isLabeled && <Text c="dimmed" fz="sm">Nobody of these is labeled yet: whether it was right, labels say.</Text>}
    </>
  );
}

function Overlaps({ record: { overlaps, lookedAt, isWhole } }: { record: Record }) {
  if (lookedAt === 0) return <Text c="dimmed" fz="sm">It has matched nobody yet.</Text>;
  const of = counted(lookedAt, isWhole ? "identity" : "of the newest identities", isWhole ? "identities" : "of the newest identities");
  if (overlaps.length === 0) return <Text c="dimmed" fz="sm">Nothing else matches {lookedAt === 1 ? "it" : `any of its ${of}`}.</Text>;
  return (
    <Stack gap="xs">
      <div className="table-box" data-stacks role="group" aria-label="Overlap" tabIndex={0}>
        <Table verticalSpacing={4} horizontalSpacing="sm">
          <Table.Thead><Table.Tr><Table.Th>What</Table.Th><Table.Th>Also matches, of these</Table.Th><Table.Th>Its own that are here</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {overlaps.slice(0, OVERLAPS).map((one) => (
              <Table.Tr key={`${one.type} ${one.id}`}>
                <Table.Td data-title="What"><What overlap={one} /></Table.Td>
                <Table.Td className="numbers" data-title="Also matches, of these">{share(one.both, lookedAt)}</Table.Td>
                <Table.Td className="numbers" data-title="Its own that are here">{share(one.both, one.tookHold)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Text c="dimmed" fz="sm">Of {of}{overlaps.length > OVERLAPS && `; the ${OVERLAPS} widest of ${overlaps.length}`}.</Text>
    </Stack>
  );
}

/** "4 of 5 (80%)". */
function share(part: number, of: number): string {
  return `${part.toLocaleString("en")} of ${of.toLocaleString("en")}${of > 0 ? ` (${Math.round((part / of) * 100)}%)` : ""}`;
}

const KINDS = { RULE: "escalation rule", BADGE: "badge", ANALYZER: "analyzer" } as const;

function What({ overlap: { type, id, label } }: { overlap: Overlap }) {
  const badgeName = useBadgeName();
  const { data: badgeRules } = useBadgeRules();
  const badge = badgeRules?.find(({ slug }) => slug === id);
  const kind = <span className="below">{KINDS[type as keyof typeof KINDS]}</span>;
  if (type === "RULE") return <><PageLink to="/escalation-rules/$id" params={{ id }} className="break">{label}</PageLink> {kind}</>;
  if (type === "ANALYZER") return <><PageLink to="/analyzers/$id" params={{ id }} className="break">{label}</PageLink> {kind}</>;
  if (badge) return <><PageLink to="/badge-rules/$id" params={{ id: String(badge.id) }} className="break">{badge.name}</PageLink> {kind}</>;
  return <>{badgeName(id)} {kind}</>;
}

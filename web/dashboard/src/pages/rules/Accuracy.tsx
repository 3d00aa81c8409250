// Whether something is right: how many of those whom it concerned people have labelled so, and how sure that is.

import { Anchor, Stack, Table, Text, Tooltip } from "@mantine/core";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { judged, meaning, range, unlabeled, useAccuracy, useBadgeTally, useRuleTally, type Tally } from "./tally";
import { counted } from "../../parts/counts";
import { DRAWN, type BadgeRule, type EscalationRule } from "./rules";
import classes from "./Rules.module.css";

/** In a cell of a list. */
export function AccuracyCell({ tally }: { tally: Tally | undefined }) {
  if (!tally || tally.tookHold === 0) return <>–</>;
  const between = range(tally);
  if (!between) return <Text span c="dimmed" inherit>{unlabeled(tally)}</Text>;
  return (
    <Tooltip label={meaning(tally, "")} multiline maw={340}>
      <div tabIndex={0} className={classes.accuracy}>
        <span>{judged(tally)}</span>
        <Interval tally={tally} />
        <Text span c="dimmed" fz="xs">{between}{tally.unlabeled > 0 && `, ${unlabeled(tally)}`}</Text>
      </div>
    </Tooltip>
  );
}

/** On the page of a rule. */
export function EscalationAccuracy({ rule }: { rule: EscalationRule }) {
  return <AccuracyPanel tally={useRuleTally(rule)} nobody="It has not opened an escalation yet, so there is nothing to measure." />;
}

export function BadgeAccuracy({ rule }: { rule: BadgeRule }) {
  return <AccuracyPanel tally={useBadgeTally(rule)} nobody="No identity has this badge yet, so there is nothing to measure." />;
}

function AccuracyPanel({ tally, nobody }: { tally: Tally | undefined; nobody: string }) {
  if (!tally) return null;
  const between = range(tally);
  return (
    <Panel title="Is it right?" note="By the labels of those whom it concerned.">
      <Stack gap="xs">
        {tally.tookHold > 0 && <Text className="numbers" fw={600}>{[...(between ? [judged(tally)] : []), unlabeled(tally)].join(", ")}</Text>}
        {between && <Interval tally={tally} />}
        <Text fz="sm" c="dimmed">{meaning(tally, nobody)}</Text>
        <Anchor href="/manual/escalations#labels" target="_blank" fz="sm">Labels in the manual</Anchor>
      </Stack>
    </Panel>
  );
}

/** Of 0 to 100%, where it is with 95% confidence, and what was counted. */
function Interval({ tally }: { tally: Tally }) {
  const { right, wrong, low, high } = tally;
  const percent = (part: number) => `${part * 100}%`;
  return (
    <span className={classes.interval} role="img" aria-label={`Right in ${range(tally)} of cases`}>
      <span style={{ left: percent(low ?? 0), right: percent(1 - (high ?? 1)) }} />
      <i style={{ left: percent(right / (right + wrong)) }} />
    </span>
  );
}

/** What rules miss, by those who were drawn at random; nothing before the first draw. */
export function Missed() {
  const { data } = useAccuracy();
  const found = data?.drawn;
  if (!found || found.drawn === 0) return null;
  const { drawn, labeled, bad, missed, share, low, high } = found;
  const percent = (part: number | null | undefined) => `${Math.round((part ?? 0) * 100)}%`;
  return (
    <Panel title="What rules miss" note="By identities that were drawn at random, whatever rules say of them: a few each week, which stand in the queue.">
      <Stack gap={4}>
        <Text className="numbers" fw={600}>{counted(drawn, "identity", "identities")} drawn, {labeled.toLocaleString("en")} labeled, {bad.toLocaleString("en")} bad</Text>
        {labeled > 0 && (
          <Text fz="sm" c="dimmed">
            About {percent(share)} of those who are active and not labeled yet are bad; with 95% confidence it is {percent(low)} to {percent(high)}.{" "}
            {bad > 0 && (missed === 0 ? "Rules had found all of these." : `Rules had missed ${missed.toLocaleString("en")} of these ${bad.toLocaleString("en")}.`)}
          </Text>
        )}
        {labeled < drawn && <PageLink to="/escalations" search={{ rule: DRAWN } as never} fz="sm">Label those who wait</PageLink>}
      </Stack>
    </Panel>
  );
}

/** Which analyzers were right; nothing before the first label. */
export function AnalyzerAccuracy() {
  const { data } = useAccuracy();
  const found = data?.analyzers.filter(({ right, wrong }) => right + wrong > 0) ?? [];
  if (!data || found.length === 0) return null;
  return (
    <Panel title="Analyzers" note={`How often what each found against an identity was right, by ${data.good.toLocaleString("en")} labeled good and ${data.bad.toLocaleString("en")} labeled bad.`}>
      <div className="table-box" data-stacks role="group" aria-label="Analyzers" tabIndex={0}>
        <Table verticalSpacing={6} horizontalSpacing="sm">
          <Table.Thead><Table.Tr><Table.Th>Analyzer</Table.Th><Table.Th>Id</Table.Th><Table.Th>Right or wrong</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {found.map((one) => (
              <Table.Tr key={one.id}>
                <Table.Td data-title="Analyzer"><PageLink to="/analyzers/$id" params={{ id: one.id }}>{one.label}</PageLink></Table.Td>
                <Table.Td className="mono" data-title="Id">{one.id}</Table.Td>
                <Table.Td data-title="Right or wrong"><AccuracyCell tally={{ ...one, tookHold: one.right + one.wrong }} /></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Panel>
  );
}

// The rules that open escalations, and what they have done lately.

import { Table, Text } from "@mantine/core";
import { useState } from "react";
import { $api } from "../../api";
import { StatusChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { AccuracyCell } from "./Accuracy";
import { useRuleTally } from "./tally";
import { ChannelNames } from "./ChannelNames";
import { after, ConditionsInWords, OnOff, RuleTable } from "./RuleTable";
import type { EscalationRule } from "./rules";
import { useSwitchEscalationRule } from "./switching";

const WEEK_MS = 7 * 86_400_000;
const COLUMNS = ["Escalation", "Severity", "Conditions", "Delays", "Channels", "Last 7 days", "Right or wrong", "Enabled"];

const WHEN_ON = "An escalation is opened for each, after the delay of the rule, and its channels are notified.";
const WHEN_OFF = "Its open escalations are closed.";

export function EscalationRules({ rules }: { rules: EscalationRule[] }) {
  const [from] = useState(() => new Date(Date.now() - WEEK_MS).toISOString());
  const activity = $api.useQuery("get", "/api/dashboard/rule-activity", { params: { query: { from } } });
  const byRule = new Map(activity.data?.map((one) => [one.rule.id, one]));
  return (
    <Panel title="Escalation rules" note="Each opens an escalation for every identity that matches its conditions.">
      <RuleTable label="Escalation rules" columns={COLUMNS}>
        {rules.map((rule) => <EscalationRuleRow key={rule.id} rule={rule} done={activity.data && (byRule.get(String(rule.id)) ?? NOTHING)} />)}
      </RuleTable>
    </Panel>
  );
}

const NO_WRAP = { whiteSpace: "nowrap" } as const;
const NOTHING = { opened: 0, closed: 0 };

function EscalationRuleRow({ rule, done }: { rule: EscalationRule; done: typeof NOTHING | undefined }) {
  const turn = useSwitchEscalationRule(rule.id);
  const tally = useRuleTally(rule);
  const id = String(rule.id);
  return (
    <Table.Tr>
      <Table.Td miw={130} data-title="Escalation"><PageLink to="/escalation-rules/$id" params={{ id }} fw={500} className="break">{rule.name}</PageLink></Table.Td>
      <Table.Td data-title="Severity"><StatusChip status={rule.severity} /></Table.Td>
      <Table.Td miw={200} data-title="Conditions"><ConditionsInWords conditions={rule.conditions} /></Table.Td>
      <Table.Td miw={135} data-title="Delays">opens {after(rule.openAfterSeconds)}, closes {after(rule.closeAfterSeconds)}</Table.Td>
      <Table.Td data-title="Channels"><ChannelNames slugs={rule.channels} /></Table.Td>
      <Table.Td className="numbers" data-title="Last 7 days">{done && <Activity id={id} done={done} />}</Table.Td>
      <Table.Td data-title="Right or wrong"><AccuracyCell tally={tally} /></Table.Td>
      <Table.Td data-title="Enabled"><OnOff name={rule.name} isOn={rule.enabled} turn={turn} conditions={rule.conditions} whenOff={WHEN_OFF} whenOn={WHEN_ON} /></Table.Td>
    </Table.Tr>
  );
}

function Activity({ id, done: { opened, closed } }: { id: string; done: typeof NOTHING }) {
  if (opened === 0) return <Text span c="dimmed" inherit>none</Text>;
  return (
    <>
      <PageLink to="/escalations" search={{ rule: id } as never} underline="always" style={NO_WRAP}>{opened.toLocaleString("en")} opened</PageLink>, <span style={NO_WRAP}>{closed.toLocaleString("en")} closed</span>
    </>
  );
}

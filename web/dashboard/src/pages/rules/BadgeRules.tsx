// The rules that give badges.

import { Table } from "@mantine/core";
import { StatusChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { AccuracyCell } from "./Accuracy";
import { useBadgeTally } from "./tally";
import { after, ConditionsInWords, OnOff, RuleTable } from "./RuleTable";
import type { BadgeRule } from "./rules";
import { useSwitchBadgeRule } from "./switching";

const WHEN_ON = "They get the badge, after its delay.";
const WHEN_OFF = "Its badge is removed from every identity until the rule is enabled again.";

export function BadgeRules({ rules }: { rules: BadgeRule[] }) {
  return (
    <Panel title="Badge rules" note="Each adds its badge while its conditions hold. The highest priority comes first, here and on an identity.">
      <RuleTable label="Badge rules" columns={["Badge", "Type", "Conditions", "Delays", "Priority", "Right or wrong", "Enabled"]}>
        {byPriority(rules).map((rule) => <BadgeRuleRow key={rule.id} rule={rule} />)}
      </RuleTable>
    </Panel>
  );
}

/** As their badges stand on an identity. */
function byPriority(rules: BadgeRule[]): BadgeRule[] {
  return rules.toSorted((one, other) => other.priority - one.priority || one.id - other.id);
}

function BadgeRuleRow({ rule }: { rule: BadgeRule }) {
  const turn = useSwitchBadgeRule(rule.id);
  const tally = useBadgeTally(rule);
  return (
    <Table.Tr>
      <Table.Td miw={130} data-title="Badge"><PageLink to="/badge-rules/$id" params={{ id: String(rule.id) }} fw={500} className="break">{rule.name}</PageLink></Table.Td>
      <Table.Td data-title="Type"><StatusChip status={rule.type} /></Table.Td>
      <Table.Td miw={220} data-title="Conditions"><ConditionsInWords conditions={rule.conditions} /></Table.Td>
      <Table.Td miw={rule.applyDelaySeconds + rule.removeDelaySeconds > 0 ? 150 : undefined} data-title="Delays">{waits(rule)}</Table.Td>
      <Table.Td className="numbers" data-title="Priority">{rule.priority}</Table.Td>
      <Table.Td data-title="Right or wrong"><AccuracyCell tally={tally} /></Table.Td>
      <Table.Td data-title="Enabled"><OnOff name={rule.name} isOn={rule.enabled} turn={turn} conditions={rule.conditions} whenOff={WHEN_OFF} whenOn={WHEN_ON} /></Table.Td>
    </Table.Tr>
  );
}

function waits({ applyDelaySeconds, removeDelaySeconds }: BadgeRule): string {
  if (applyDelaySeconds === 0 && removeDelaySeconds === 0) return "–";
  return `added ${after(applyDelaySeconds)}, removed ${after(removeDelaySeconds)}`;
}

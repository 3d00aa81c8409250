// The page of a rule for those who may not change it.

import { Grid, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { useMayNot } from "../../app/session";
import { StatusChip } from "../../parts/Chip";
import { Facts, Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { exactTime, Time } from "../../parts/Time";
import { BadgeAccuracy, EscalationAccuracy } from "./Accuracy";
import { Backtest } from "./Backtest";
import { ChannelNames } from "./ChannelNames";
import { AdditionsInWords, type Addition } from "./ListAdditions";
import { Preview } from "./Preview";
import { BadgeRecord, RuleRecord } from "./Record";
import { after, ConditionsInWords } from "./RuleTable";
import type { BadgeRule, EscalationRule } from "./rules";
import { Draft, VersionList } from "./Versions";

export function BadgeRuleInWords({ rule }: { rule: BadgeRule }) {
  const { conditions, applyDelaySeconds, removeDelaySeconds } = rule;
  return (
    <InWords
      title={`Badge rule: ${rule.name}`}
      facts={[
        ["Type", <StatusChip status={rule.type} />],
        ["Conditions", <ConditionsInWords conditions={conditions} />],
        ["Added", after(applyDelaySeconds)],
        ["Removed", after(removeDelaySeconds)],
        ["Adds to lists", <AdditionsFact of={rule} />],
        ["Priority", rule.priority],
        ["Enabled", rule.enabled ? "Yes" : "No"],
        ["Changed", <Time at={rule.updatedAt} />],
      ]}
      below={<><VersionList kind="badge" rule={rule} /><BadgeRecord slug={rule.slug} /></>}
    >
      <Preview conditions={conditions} badgeType={rule.type} isAgainst={rule.type === "BAD"} />
      <Draft kind="badge" rule={rule} />
      <BadgeAccuracy rule={rule} />
      <Backtest rule={{ kind: "badge", body: { conditions, applyDelaySeconds, removeDelaySeconds } }} />
    </InWords>
  );
}

export function EscalationRuleInWords({ rule }: { rule: EscalationRule }) {
  const { conditions, openAfterSeconds, closeAfterSeconds } = rule;
  return (
    <InWords
      title={`Escalation rule: ${rule.name}`}
      facts={[
        ["Severity", <StatusChip status={rule.severity} />],
        ["Conditions", <ConditionsInWords conditions={conditions} />],
        ["Opens", after(openAfterSeconds)],
        ["Closes", after(closeAfterSeconds)],
        ["Effective from", rule.effectiveAt && exactTime(rule.effectiveAt)],
        ["Channels", <ChannelNames slugs={rule.channels} />],
        ["Adds to lists", <AdditionsFact of={rule} />],
        ["Enabled", rule.enabled ? "Yes" : "No"],
        ["Changed", <Time at={rule.updatedAt} />],
      ]}
      below={<><VersionList kind="escalation" rule={rule} /><RuleRecord id={rule.id} /></>}
    >
      <Preview conditions={conditions} isAgainst />
      <Draft kind="escalation" rule={rule} />
      <EscalationAccuracy rule={rule} />
      <Backtest rule={{ kind: "escalation", body: { conditions, openAfterSeconds, closeAfterSeconds } }} />
    </InWords>
  );
}

function AdditionsFact({ of: { addsToLists } }: { of: { addsToLists: Addition[] } }) {
  return addsToLists.length === 0 ? <>No</> : <>{"When it matches, "}<AdditionsInWords additions={addsToLists} /></>;
}

function InWords({ title, facts, below, children }: { title: string; facts: [name: string, value: ReactNode][]; below: ReactNode; children: ReactNode }) {
  return (
    <Page title={title} mayNot={useMayNot("manage", "change this rule")} actions={<PageLink to="/rules" fz="sm">All rules</PageLink>}>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <Stack gap="md"><Panel title="Rule"><Facts facts={facts} /></Panel>{below}</Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}><Stack gap="md">{children}</Stack></Grid.Col>
      </Grid>
    </Page>
  );
}

/** Instead of the page of a new rule. */
export function MayNotMake() {
  return <Page title="New rule" mayNot={useMayNot("manage", "create rules")} actions={<PageLink to="/rules" fz="sm">All rules</PageLink>} />;
}

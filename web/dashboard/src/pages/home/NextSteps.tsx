// What is left to set up after the first event.

import { Button, Code, Group, Stack, Text } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconCircle, IconCircleCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { $api } from "../../api";
import { useMay } from "../../app/session";
import { Source } from "../../parts/Copy";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { useBadgeRules, useEscalationRules } from "../rules/rules";
import { listenCommand } from "../settings/snippets";

/** Which steps are done; `undefined` while it is not known. */
function useSteps() {
  const { manage } = useMay();
  const channels = $api.useQuery("get", "/api/channels");
  const devices = $api.useQuery("get", "/api/devices", { params: { query: { pageSize: 1 } } });
  const members = $api.useQuery("get", "/api/team/members", undefined, { enabled: manage });
  const [badges, escalations] = [useBadgeRules().data, useEscalationRules().data];
  return {
    hasOwnRule: badges && escalations && isChanged([...badges, ...escalations]),
    hasChannel: channels.data && channels.data.length > 0,
    hasDevice: devices.data && devices.data.totalElements > 0,
    hasColleague: members.data && members.data.length > 1,
  };
}

/** Whether a rule is not as a new team has it: those are made in one go. */
function isChanged(rules: { createdAt: string; updatedAt: string }[]): boolean {
  const made = Math.min(...rules.map((rule) => Date.parse(rule.createdAt)));
  return rules.some((rule) => Date.parse(rule.updatedAt) > made + 1_000);
}

/** On the first page, until everything is done or somebody puts it away. */
export function NextSteps() {
  const { manage } = useMay();
  const [isAway, putAway] = useLocalStorage({ key: "dregs.steps.away", defaultValue: false, getInitialValueInEffect: false });
  const { hasChannel, hasDevice, hasColleague } = useSteps();
  const isKnown = [hasChannel, hasDevice, hasColleague].every((step) => step !== undefined);
  if (!manage || isAway || !isKnown || (hasChannel && hasDevice && hasColleague)) return null;
  return (
    <Panel title="What comes next" actions={<Button size="xs" variant="subtle" onClick={() => putAway(true)}>Hide</Button>}>
      <Steps />
    </Panel>
  );
}

export function Steps() {
  const { hasChannel, hasDevice, hasColleague, hasOwnRule } = useSteps();
  return (
    <Stack gap="sm" component="ol" m={0} p={0} style={{ listStyle: "none" }}>
      <Step isDone={hasChannel} title="Act on scores">
        <Text fz="sm" className="prose">
          A <PageLink to="/settings/channels">channel</PageLink> sends each new score, badge and escalation to your application as a signed webhook, to
          mailboxes or to Slack. See webhooks on your own machine, verified, before you write a line:
        </Text>
        <Source text={listenCommand()} label="command to listen" />
        <Text fz="xs" c="dimmed">
          With <Code>DREGS_SECRET_KEY</Code> in the environment. <Code>--forward http://127.0.0.1:3000/webhooks</Code> passes them on to your
          application. A server that shall reach your own machine is started with <Code>--egress-allow 127.0.0.0/8</Code>.
        </Text>
      </Step>
      <Step isDone={hasDevice} title="See devices">
        <Text fz="sm" className="prose">
          dregs.js in your pages tells devices and bots apart, which says most about who has several accounts. The snippet is
          in <PageLink to="/settings/credentials">Credentials</PageLink>.
        </Text>
      </Step>
      <Step isDone={hasOwnRule} title="Decide what somebody looks at">
        <Text fz="sm" className="prose">
          <PageLink to="/rules">Rules</PageLink> give badges and open escalations. Some are there to begin with: look at what they would have opened, and change them.
        </Text>
      </Step>
      <Step isDone={hasColleague} title="Bring in your colleagues">
        <Text fz="sm" className="prose">Invite them in <PageLink to="/settings/team">Team</PageLink>: to read, to work on escalations, or to manage.</Text>
      </Step>
    </Stack>
  );
}

/** How a step is taken is said until it is done. */
function Step({ isDone = false, title, children }: { isDone?: boolean | undefined; title: string; children: ReactNode }) {
  const Icon = isDone ? IconCircleCheck : IconCircle;
  return (
    <Group component="li" gap="sm" wrap="nowrap" align="flex-start">
      <Icon size={20} style={{ flex: "none", marginTop: 1 }} color={isDone ? "var(--band-3-mark)" : "var(--mantine-color-dimmed)"} aria-label={isDone ? "Done" : "To do"} role="img" />
      <Stack gap={4} flex={1} miw={0}>
        <Text fw={600} fz="sm">{title}</Text>
        {!isDone && children}
      </Stack>
    </Group>
  );
}

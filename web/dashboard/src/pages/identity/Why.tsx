// Why an identity is scored as it is: the evidence of a cycle, and beside it what else is known at a glance.

import { Group, Stack, Text } from "@mantine/core";
import type { Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { BadgeChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { useShownAnalysis } from "./analysis";
import { Cycle } from "./Cycle";
import { Course } from "./Course";
import { Dismiss, DismissedBadges } from "./Dismiss";
import { Evidence } from "./Evidence";
import classes from "./Identity.module.css";
import { Values } from "./Values";

type Identity = Schemas["IdentityBody"];

export function Why({ identity }: { identity: Identity }) {
  return (
    <div className={classes.why}>
      {identity.lastScoredAt ? <Analysis identity={identity} /> : <NotScored />}
      <Stack gap="md">
        {identity.lastScoredAt && <Course id={identity.id} />}
        <BadgePanel identity={identity} />
        <Panel title="Attributes">
          {Object.keys(identity.data).length > 0 ? <Values label="Attributes" values={identity.data} /> : <Text c="dimmed" fz="sm">No attributes.</Text>}
        </Panel>
      </Stack>
    </div>
  );
}

function Analysis({ identity }: { identity: Identity }) {
  const analysis = useShownAnalysis(identity);
  return (
    <Stack gap="md">
      <Cycle id={identity.id} analysis={analysis.data} />
      <Answer of={analysis} lines={12}>{({ scores }) => <Evidence scores={scores} />}</Answer>
    </Stack>
  );
}

function NotScored() {
  return (
    <div className="panel">
      <Empty title="Not scored yet">The first cycle runs within about a second of the first event. Its observations appear here.</Empty>
    </div>
  );
}

function BadgePanel({ identity: { id, badges, dismissedBadges } }: { identity: Identity }) {
  if (badges.length === 0 && dismissedBadges.length === 0) return null;
  return (
    <Panel title="Badges">
      {badges.map((badge) => (
        <div key={badge.slug}>
          <Group gap="xs"><BadgeChip badge={badge} /><Dismiss id={id} badge={badge} /></Group>
          <Text fz="sm" mt={4} className="break">{badge.explanation}</Text>
        </div>
      ))}
      <DismissedBadges id={id} dismissed={dismissedBadges} />
    </Panel>
  );
}

// Everything about one identity; first of all, why it is scored as it is.

import { Group, Stack, Tabs, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMayNot } from "../../app/session";
import { visibleId } from "../../app/visible";
import { agentWords } from "../../parts/agent";
import { Answer } from "../../parts/Answer";
import { BadgeChip, Chip } from "../../parts/Chip";
import { Copy } from "../../parts/Copy";
import { Page } from "../../parts/Page";
import { Time } from "../../parts/Time";
import { LabelLine } from "../labels/LabelLine";
import { LabelList } from "../labels/LabelList";
import { Actions } from "./Actions";
import { Deliveries } from "./Deliveries";
import { Devices } from "./Devices";
import { Escalations } from "./Escalations";
import { Groups } from "./Groups";
import classes from "./Identity.module.css";
import { Links } from "./Links";
import { OnLists } from "./OnLists";
import { Reviews } from "./Reviews";
import { Scores } from "./Scores";
import { Timeline } from "./Timeline";
import { Why } from "./Why";

type Identity = Schemas["IdentityBody"];

export function IdentityPage() {
  const { id } = useParams({ from: "/frame/identities/$id" });
  const identity = $api.useQuery("get", "/api/identities/{id}", { params: { path: { id } } });
  const mayNot = useMayNot("triage", "label this identity, rescore it, disregard it, and request reviews");
  if (!identity.data) return <Page title={visibleId(id)}><Answer of={identity} lines={8}>{() => null}</Answer></Page>;
  const { data } = identity;
  const name = data.displayName || data.displayEmail || data.displayUsername || visibleId(id);
  return (
    <Page title={name} tab={name} mayNot={mayNot} actions={<Actions identity={data} />}>
      <Who identity={data} />
      <Scores identity={data} />
      <Sides identity={data} />
    </Page>
  );
}

function Who({ identity }: { identity: Identity }) {
  const { id, displayEmail, displayUsername, badges } = identity;
  return (
    <Stack gap="xs">
      <Group gap="xs" className="break">
        {identity.disregarded && <Chip tone={2}>Disregarded</Chip>}
        {badges.map((badge) => <BadgeChip key={badge.slug} badge={badge} />)}
        {displayEmail && <Text fz="sm" className="break">{displayEmail}</Text>}
        {displayUsername && <Text fz="sm" className="break">@{displayUsername}</Text>}
        <Group gap={2} wrap="nowrap">
          <code className="mono break">{visibleId(id)}</code>
          <Copy text={id} label="the id" />
        </Group>
      </Group>
      {identity.label && <LabelLine label={identity.label} />}
      <Text component="div" fz="sm" c="dimmed" className={classes.trail}>
        <span>First seen <Time at={identity.firstSeenAt} /></span>
        <span>Last received <Time at={identity.lastTrackedAt} /></span>
        <span>Last scored <Time at={identity.lastScoredAt} empty="never" /></span>
        {identity.agent && <span>Agent seen last: {agentWords(identity.agent)}</span>}
      </Text>
    </Stack>
  );
}

/** The sides from which an identity can be looked at; the one that is shown is in the address. */
const SIDES: [tab: string, title: string, show: (identity: Identity) => ReactNode][] = [
  ["why", "Why", (identity) => <Why identity={identity} />],
  ["events", "Events", ({ id, createdAt }) => <Timeline id={id} knownSince={createdAt} />],
  ["links", "Links", ({ id }) => <Links id={id} />],
  ["devices", "Devices", ({ id }) => <Devices id={id} />],
  ["groups", "Groups", ({ id }) => <Groups id={id} />],
  ["lists", "Lists", ({ id }) => <OnLists id={id} />],
  ["escalations", "Escalations", ({ id }) => <Escalations id={id} />],
  ["labels", "Labels", (identity) => <LabelList identity={identity} />],
  ["deliveries", "Deliveries", ({ id }) => <Deliveries id={id} />],
  ["reviews", "Reviews", ({ id }) => <Reviews id={id} />],
];

function Sides({ identity }: { identity: Identity }) {
  const [search, change] = usePageSearch();
  const shown = SIDES.find(([tab]) => tab === search.tab)?.[0] ?? "why";
  // Another list begins at its first page, in its own order.
  const turn = (tab: string | null) => change({ tab: tab === "why" ? undefined : (tab ?? undefined), sort: undefined, order: undefined, cycle: undefined });
  return (
    <Tabs value={shown} onChange={turn} keepMounted={false}>
      <Tabs.List mb="md">
        {SIDES.map(([tab, title]) => <Tabs.Tab key={tab} value={tab}>{title}</Tabs.Tab>)}
      </Tabs.List>
      {SIDES.map(([tab, , show]) => <Tabs.Panel key={tab} value={tab}><Stack gap="xs">{show(identity)}</Stack></Tabs.Panel>)}
    </Tabs>
  );
}

// The server itself: what runs, what is pending, and where to read more.

import { Anchor, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Integration } from "../../parts/Integration";
import { Facts, Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { exactTime, Time } from "../../parts/Time";
import { behindSince, HealthChip } from "../channels/Health";

const REFRESH_MS = 5_000;

type SystemBody = Schemas["SystemBody"];

const LINKS = [
  ["/manual", "Manual"],
  ["/api/docs", "API reference"],
  ["/api/openapi.json", "openapi.json"],
  ["/metrics", "Metrics"],
  ["/healthz", "Health"],
  ["/readyz", "Readiness"],
] as const;

const ENGINES: Record<string, string> = { SQLITE: "SQLite", POSTGRESQL: "PostgreSQL" };

export function System() {
  const system = $api.useQuery("get", "/api/system", undefined, { refetchInterval: REFRESH_MS });
  return (
    <Page title="System">
      <Integration />
      <Answer of={system} lines={8}>
        {(system) => (
          <>
            <Panel title="Queues" note="Updated every five seconds.">
              <Facts facts={[["Scoring", <><Waiting queue={system.evaluation} />{system.rescoring > 0 && <Text fz="sm">{system.rescoring === 1 ? "A change of what something means is" : `${system.rescoring} changes of what something means are`} being carried through the past</Text>}</>], ["Delivery", <><Waiting queue={system.delivery} /><Behind /></>]]} />
            </Panel>
            <Panel title="Server"><Server system={system} /></Panel>
            {system.nodes.length > 1 && (
              <Panel title="Nodes" note="One that has not been heard of for eight seconds is gone, and the others do what it had taken.">
                <Facts facts={system.nodes.map((node) => [node.name, <Node node={node} />])} />
              </Panel>
            )}
          </>
        )}
      </Answer>
      <Panel title="Links">
        <Group gap="lg">{LINKS.map(([path, label]) => <Anchor key={path} href={path} target="_blank">{label}</Anchor>)}</Group>
      </Panel>
    </Page>
  );
}

/** Work that was due a while ago is late. */
const LATE_MS = 30_000;

function Waiting({ queue: { waiting, oldestDueAt } }: { queue: Schemas["QueueBody"] }) {
  if (waiting === 0) return <Chip tone={3}>Empty</Chip>;
  const isLate = oldestDueAt && Date.now() - Date.parse(oldestDueAt) > LATE_MS;
  return (
    <Group gap="xs" className="numbers">
      <Chip tone={isLate ? 1 : undefined}>Pending</Chip> {waiting.toLocaleString("en")}
      {oldestDueAt && <Text span c="dimmed" fz="sm">{Date.parse(oldestDueAt) > Date.now() ? "next due" : "oldest due"} <Time at={oldestDueAt} /></Text>}
    </Group>
  );
}

/** Which channels are behind, of the team of who looks. */
function Behind() {
  const channels = $api.useQuery("get", "/api/channels", undefined, { refetchInterval: REFRESH_MS });
  return channels.data?.filter(behindSince).map((channel) => (
    <Group key={channel.id} gap="xs">
      <PageLink to="/settings/channels/$id" params={{ id: String(channel.id) }} className="break">{channel.name}</PageLink> <HealthChip channel={channel} />
    </Group>
  ));
}

function Server({ system }: { system: SystemBody }) {
  return (
    <Facts
      facts={[
        ["Version", system.version],
        ["Started", <Time at={system.startedAt} />],
        ["Database", `${ENGINES[system.engine] ?? system.engine}, ${bytes(system.databaseBytes)}`],
        ...(system.restored ? [["Restored", <>{exactTime(system.restored.restoredAt)}{system.restored.takenAt && `, from a backup of ${exactTime(system.restored.takenAt)}: what arrived after that is not in it`}</>] as [string, ReactNode]] : []),
        ["Public URL", system.publicUrl],
        ["E-mail", system.mailEnabled ? "enabled" : "disabled: set DREGS_SMTP_URL"],
        ["Reviewer", system.reviewModel ? "language model" : "built-in"],
        ["Location databases", system.geoDatabases.length > 0 ? system.geoDatabases.join(", ") : "none: set DREGS_GEO_DATABASES"],
      ]}
    />
  );
}

function Node({ node }: { node: Schemas["NodeBody"] }) {
  return <>{node.roles.join(", ")}; version {node.version}, started <Time at={node.startedAt} />, last heard of <Time at={node.seenAt} /></>;
}

/** "1.4 GB", "512 kB". */
function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(count > 0 ? Math.floor(Math.log10(count) / 3) : 0, units.length - 1);
  const amount = count / 1_000 ** power;
  return `${amount.toFixed(power > 0 && amount < 100 ? 1 : 0)}\u00A0${units[power]}`;
}

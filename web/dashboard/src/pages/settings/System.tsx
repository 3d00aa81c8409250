// The server itself: what runs, what waits, and where to read more.

import { Anchor, Group, Text } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Integration } from "../../parts/Integration";
import { Facts, Page, Panel } from "../../parts/Page";
import { Time } from "../../parts/Time";

const REFRESH_MS = 5_000;

type SystemBody = Schemas["SystemBody"];

const LINKS = [
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
            <Panel title="At work" note="Looked at every five seconds.">
              <Facts facts={[["Scores to make", <Waiting queue={system.evaluation} />], ["Deliveries to make", <Waiting queue={system.delivery} />]]} />
            </Panel>
            <Panel title="Server"><Server system={system} /></Panel>
          </>
        )}
      </Answer>
      <Panel title="To read">
        <Group gap="lg">{LINKS.map(([path, label]) => <Anchor key={path} href={path} target="_blank">{label}</Anchor>)}</Group>
      </Panel>
    </Page>
  );
}

/** Work that was due a while ago is late. */
const LATE_MS = 30_000;

function Waiting({ queue: { waiting, oldestDueAt } }: { queue: Schemas["QueueBody"] }) {
  if (waiting === 0) return <Chip tone={3}>none wait</Chip>;
  const isLate = oldestDueAt && Date.now() - Date.parse(oldestDueAt) > LATE_MS;
  return (
    <Group gap="xs" className="numbers">
      <Chip tone={isLate ? 1 : undefined}>{waiting.toLocaleString("en")} wait</Chip>
      {oldestDueAt && <Text span c="dimmed" fz="sm">the oldest is due <Time at={oldestDueAt} /></Text>}
    </Group>
  );
}

function Server({ system }: { system: SystemBody }) {
  return (
    <Facts
      facts={[
        ["Version", system.version],
        ["Started", <Time at={system.startedAt} />],
        ["Database", `${ENGINES[system.engine] ?? system.engine}, ${bytes(system.databaseBytes)}`],
        ["Address that links lead to", system.publicUrl],
        ["Mail", system.mailEnabled ? "is sent" : "is not sent: set DREGS_SMTP_URL"],
        ["Reviews are written by", system.reviewModel ? "a language model" : "the built-in reviewer"],
        ["Places are looked up in", system.geoDatabases.length > 0 ? system.geoDatabases.join(", ") : "nothing: name databases in DREGS_GEO_DATABASES"],
      ]}
    />
  );
}

/** "1.4 GB", "512 kB". */
function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(count > 0 ? Math.floor(Math.log10(count) / 3) : 0, units.length - 1);
  const amount = count / 1_000 ** power;
  return `${amount.toFixed(power > 0 && amount < 100 ? 1 : 0)} ${units[power]}`;
}

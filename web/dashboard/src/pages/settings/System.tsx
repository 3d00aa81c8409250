// The server itself: what runs, what waits, and where to read more.

import { Anchor, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Answer } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Facts, Page, Panel } from "../../parts/Page";
import { Time } from "../../parts/Time";

const REFRESH_MS = 5_000;

/** What waits for its turn. */
interface Queue {
  waiting: number;
  oldestDueAt: string | null;
}

interface SystemBody {
  version: string;
  startedAt: string;
  engine: "SQLITE" | "POSTGRESQL";
  databaseBytes: number;
  evaluation: Queue;
  delivery: Queue;
  geoDatabases: string[];
  mailEnabled: boolean;
  reviewModel: string | null;
  publicUrl: string | null;
}

const LINKS = [
  ["/api/docs", "API reference"],
  ["/api/openapi.json", "openapi.json"],
  ["/metrics", "Metrics"],
  ["/healthz", "Health"],
  ["/readyz", "Readiness"],
] as const;

const ENGINES = { SQLITE: "SQLite", POSTGRESQL: "PostgreSQL" };

export function System() {
  const system = useQuery({ queryKey: ["get", "/api/system"], queryFn: ({ signal }) => read(signal), refetchInterval: REFRESH_MS });
  return (
    <Page title="System">
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

async function read(signal: AbortSignal): Promise<SystemBody> {
  const answer = await fetch("/api/system", { signal });
  const body: unknown = await answer.json();
  if (!answer.ok) throw body;
  return body as SystemBody;
}

/** Work that was due a while ago is late. */
const LATE_MS = 30_000;

function Waiting({ queue: { waiting, oldestDueAt } }: { queue: Queue }) {
  if (waiting === 0) return <Chip tone={3}>none wait</Chip>;
  const isLate = oldestDueAt !== null && Date.now() - Date.parse(oldestDueAt) > LATE_MS;
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
        ["Database", `${ENGINES[system.engine]}, ${bytes(system.databaseBytes)}`],
        ["Address that links lead to", system.publicUrl ?? "not set: DREGS_PUBLIC_URL"],
        ["Mail", system.mailEnabled ? "is sent" : "is not sent: set DREGS_SMTP_URL"],
        ["Reviews are written by", system.reviewModel ?? "the built-in reviewer"],
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

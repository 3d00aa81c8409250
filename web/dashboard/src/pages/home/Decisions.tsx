// How fast people decide on escalations, and how often two of them decide alike.

import { Group, Stack, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { $api, type Schemas } from "../../api";
import { formatted } from "../../app/preferences";
import { counted } from "../../parts/counts";
import { Panel } from "../../parts/Page";
import { useNames } from "../escalations/Assignee";

const PEOPLE = 8;
const DAYS = 30;
/** From the largest on, each with how long a time has to be for it. */
const UNITS: [length: number, min: number, word: string][] = [[86_400, 172_800, "days"], [3_600, 7_200, "hours"], [60, 90, "minutes"], [1, 0, "seconds"]];

/** "3 hours", "90 minutes": whole. */
export function lasting(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  const [length, , word] = UNITS.find(([, min]) => seconds >= min) ?? [1, 0, "seconds"];
  const count = Math.round(seconds / length);
  return `${count.toLocaleString("en")} ${count === 1 ? word.slice(0, -1) : word}`;
}

/** Nothing before somebody has closed one. */
export function Decisions() {
  const { data } = $api.useQuery("get", "/api/dashboard/decisions", { params: { query: { days: DAYS } } });
  if (!data || data.closed === 0) return null;
  return (
    <Panel title="Decisions" note={`From opening to closing, of the escalations that people and keys have closed in the last ${DAYS} days.`}>
      <Stack gap="sm">
        <Group gap="xl">
          <Figure label="Median" value={lasting(data.medianSeconds)} />
          <Figure label="90th percentile" value={lasting(data.ninthDecileSeconds)} />
          <Figure label="Escalations closed" value={data.closed.toLocaleString("en")} />
          <Alike agreement={data.agreement ?? null} />
        </Group>
        <Group gap="xl" align="flex-start">
          <Times title="By person" head="Person" rows={data.people.slice(0, PEOPLE).map((one) => [<Person key={one.by} by={one.by} />, one])} />
          {data.weeks.length > 1 && <Times title="By week" head="Week from" rows={data.weeks.map((week) => [formatted(week.from, { dateStyle: "medium", timeZone: "UTC" }), week])} />}
        </Group>
      </Stack>
    </Panel>
  );
}

function Person({ by }: { by: string }) {
  return <span className="break">{useNames()(by)}</span>;
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <Text c="dimmed" fz="sm">{label}</Text>
      <Text fz="lg" fw={700} className="numbers">{value}</Text>
    </div>
  );
}

function Alike({ agreement }: { agreement: Schemas["AgreementBody"] | null }) {
  if (!agreement) return null;
  const { identities, agreed, low, high } = agreement;
  const percent = (part: number) => `${Math.round(100 * part)}%`;
  return (
    <div>
      <Text c="dimmed" fz="sm">Decided alike</Text>
      <Text fz="lg" fw={700} className="numbers">{percent(agreed / identities)}</Text>
      <Text c="dimmed" fz="xs">of {counted(identities, "identity", "identities")} that two or more have labeled; between {percent(low)} and {percent(high)} with 95% confidence</Text>
    </div>
  );
}

function Times({ title, head, rows }: { title: string; head: string; rows: [name: ReactNode, times: Schemas["DecisionTimesBody"]][] }) {
  return (
    <div className="table-box" data-stacks role="group" aria-label={title} tabIndex={0} style={{ flex: "1 1 18rem" }}>
      <Table verticalSpacing={5} horizontalSpacing="xs">
        <Table.Thead>
          <Table.Tr><Table.Th>{head}</Table.Th><Table.Th>Closed</Table.Th><Table.Th>Median</Table.Th><Table.Th>90th percentile</Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([name, { closed, medianSeconds, ninthDecileSeconds }], place) => (
            <Table.Tr key={place}>
              <Table.Td data-title={head}>{name}</Table.Td>
              <Table.Td className="numbers" data-title="Closed">{closed.toLocaleString("en")}</Table.Td>
              <Table.Td className="numbers" data-title="Median">{lasting(medianSeconds)}</Table.Td>
              <Table.Td className="numbers" data-title="90th percentile">{lasting(ninthDecileSeconds)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

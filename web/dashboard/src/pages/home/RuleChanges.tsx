// What rules do now that they did not before: the largest difference first.

import { Table, Text } from "@mantine/core";
import { useState } from "react";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import type { Range } from "./range";

const ROWS = 8;

type Activity = Schemas["RuleActivityBody"];

export function RuleChanges({ range: { lengthMs, words } }: { range: Range }) {
  const [now] = useState(() => Date.now());
  const ago = (times: number) => new Date(now - times * lengthMs).toISOString();
  const recent = $api.useQuery("get", "/api/dashboard/rule-activity", { params: { query: { from: ago(1) } } });
  const before = $api.useQuery("get", "/api/dashboard/rule-activity", { params: { query: { from: ago(2), to: ago(1) } } });
  return (
    <Panel title="What changed" note={`Escalations opened by rule, the last ${words} against the ${words} before.`}>
      <Answer of={recent} lines={4}>
        {(recent) => <Answer of={before} lines={4}>{(before) => <Rows changes={changesOf(recent, before)} />}</Answer>}
      </Answer>
    </Panel>
  );
}

interface Change {
  id: string;
  label: string;
  now: number;
  before: number;
}

function changesOf(recent: Activity[], before: Activity[]): Change[] {
  const found = new Map<string, Change>();
  for (const { rule, opened } of recent) found.set(rule.id, { id: rule.id, label: rule.label, now: opened, before: 0 });
  for (const { rule, opened } of before) {
    const known = found.get(rule.id) ?? { id: rule.id, label: rule.label, now: 0, before: 0 };
    found.set(rule.id, { ...known, before: opened });
  }
  const changed = [...found.values()].filter(({ now, before }) => now !== before);
  return changed.toSorted((one, other) => Math.abs(other.now - other.before) - Math.abs(one.now - one.before));
}

function Rows({ changes }: { changes: Change[] }) {
  if (changes.length === 0) return <Text c="dimmed" fz="sm">Every rule has opened as many escalations as before.</Text>;
  return (
    <div className="table-box" role="group" aria-label="What changed" tabIndex={0}>
      <Table verticalSpacing={5} horizontalSpacing="xs">
        <Table.Thead>
          <Table.Tr><Table.Th>Rule</Table.Th><Table.Th>Before</Table.Th><Table.Th>Now</Table.Th><Table.Th>Change</Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {changes.slice(0, ROWS).map(({ id, label, now, before }) => (
            <Table.Tr key={id}>
              <Table.Td><PageLink to="/escalations" search={{ rule: id, status: "ALL" } as never} className="break" style={{ minWidth: 0 }}>{label}</PageLink></Table.Td>
              <Table.Td className="numbers">{before.toLocaleString("en")}</Table.Td>
              <Table.Td className="numbers">{now.toLocaleString("en")}</Table.Td>
              <Table.Td className="numbers"><Text span fw={600} inherit>{now > before ? "+" : "−"}{Math.abs(now - before).toLocaleString("en")}</Text></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

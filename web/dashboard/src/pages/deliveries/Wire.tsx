// What went over the wire: headers, and a body as it was or laid out.

import { Group, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { pretty, Source } from "../../parts/Copy";
import { Facts } from "../../parts/Page";

const EXACT = "Raw";
const LAID_OUT = "Formatted";

export function Body({ text, label }: { text: string; label: string }) {
  const [view, setView] = useState(EXACT);
  const laidOut = pretty(text);
  if (text === "") return <Text c="dimmed" fz="sm">No {label}.</Text>;
  return (
    <Stack gap={6}>
      {laidOut !== text && <SegmentedControl size="xs" data={[EXACT, LAID_OUT]} value={view} onChange={setView} aria-label={`View of the ${label}`} style={{ alignSelf: "flex-start" }} />}
      <Source text={view === EXACT ? text : laidOut} label={label} />
    </Stack>
  );
}

/** One side of an exchange. */
export function Side({ title, headers, body, label, note }: { title: string; headers: [string, string][]; body: string; label: string; note?: string }) {
  return (
    <Stack gap="sm" miw={0}>
      <Group gap="xs" align="baseline">
        <Title order={3}>{title}</Title>
        {note && <Text c="dimmed" fz="xs">{note}</Text>}
      </Group>
      {/* A name may come more than once in an answer. */}
      <div className="mono"><Facts facts={joined(headers)} /></div>
      <Body text={body} label={label} />
    </Stack>
  );
}

function joined(headers: [string, string][]): [string, string][] {
  const values = new Map<string, string>();
  for (const [name, value] of headers) values.set(name, [values.get(name), value].filter((one) => one !== undefined).join("\n"));
  return [...values];
}

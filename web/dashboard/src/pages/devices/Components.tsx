// What a device's fingerprint was made of.

import { Table, Text } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { Time } from "../../parts/Time";

type Body = Schemas["DeviceComponentsBody"];

/** Names of the browser script that say too little by themselves. */
const NAMES: Record<string, string> = {
  audio: "Audio processing", canvas: "Canvas drawing", fonts: "Fonts", math: "Arithmetic", webGlExtensions: "WebGL driver",
  colorDepth: "Color depth", colorGamut: "Color gamut", screenResolution: "Screen resolution", touchSupport: "Touch support",
  cpuClass: "CPU class", deviceMemory: "Memory (GB)", hardwareConcurrency: "Processor threads", osCpu: "System and CPU",
};

export function Components({ fingerprint }: { fingerprint: string }) {
  const components = $api.useQuery("get", "/api/devices/{fingerprint}/components", { params: { path: { fingerprint } } });
  return (
    <Panel title="What the fingerprint was made of">
      <Answer of={components} lines={6}>{(shown) => <Report report={shown} />}</Answer>
    </Panel>
  );
}

function Report({ report: { components, eventId, reportedAt } }: { report: Body }) {
  if (!eventId) return <Text c="dimmed" fz="sm">A backend gave the fingerprint itself, in <code>device.fingerprint</code>, or what the browser script reported is no longer kept.</Text>;
  const made = components.filter(({ inFingerprint }) => inFingerprint).toSorted((a, b) => String(a.part).localeCompare(String(b.part)));
  const others = components.filter(({ inFingerprint }) => !inFingerprint);
  return (
    <>
      <Text fz="sm" c="dimmed" className="prose">
        Reported by dregs.js <Time at={reportedAt} /> with <PageLink to="/events/$id" params={{ id: eventId }}>an event</PageLink>. Long values are
        sent as their hash. A device whose drawing, sound, screen or machine alone has changed is recognized by the rest.
      </Text>
      <Rows label="In the fingerprint" components={made} />
      {others.length > 0 && (
        <details>
          <summary>Not in the fingerprint, since it changes on one device ({others.length})</summary>
          <Rows label="Not in the fingerprint" components={others} />
        </details>
      )}
    </>
  );
}

function Rows({ label, components }: { label: string; components: Body["components"] }) {
  return (
    <div className="table-box" data-stacks role="group" aria-label={label} tabIndex={0}>
      <Table verticalSpacing={4} horizontalSpacing="sm">
        <Table.Thead><Table.Tr><Table.Th>Component</Table.Th><Table.Th>Value</Table.Th><Table.Th>Part</Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {components.map(({ name, value, part }) => (
            <Table.Tr key={name}>
              <Table.Td title={name} data-title="Component">{NAMES[name] ?? spaced(name)}</Table.Td>
              <Table.Td data-title="Value"><span className="mono break">{typeof value === "string" ? value : JSON.stringify(value)}</span></Table.Td>
              <Table.Td data-title="Part">{part ? <Chip>{word(part)}</Chip> : "–"}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

/** "webglRenderer" as words: "Webgl renderer". */
function spaced(name: string): string {
  return word(name.replaceAll(/([a-z])([A-Z])/g, "$1_$2"));
}

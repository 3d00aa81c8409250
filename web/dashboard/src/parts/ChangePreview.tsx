// What a change of an identity or a device would do, told before it is made: whose scores, badges and escalations, and what is sent.

import { Stack, Table, Text } from "@mantine/core";
import { $api, type Schemas } from "../api";
import { ScoreChip } from "./Chip";
import { bounded } from "./counts";
import { IdentityLink, PageLink } from "./PageLink";
import { CATEGORIES, word, type Category } from "./score";

type Preview = Schemas["ChangePreviewBody"];
type Altered = Schemas["AlteredBody"];
type Four = Schemas["FourScoresBody"];

/** The identities that change, and from what to what; below them what is sent. */
export function ChangePreview({ preview: { identities, unchanged, total, totalIsExact, deliveries } }: { preview: Preview }) {
  const lookedAt = identities.length + unchanged;
  const others = unchanged > 0 && ` ${unchanged.toLocaleString("en")} more ${unchanged === 1 ? "is" : "are"} rescored without a change.`;
  return (
    <Stack gap="sm" role="status">
      {total > lookedAt && (
        <Text fz="sm">Rescores {bounded(total, totalIsExact)} identities. What follows is of the {lookedAt.toLocaleString("en")} that came last.</Text>
      )}
      <Text fz="sm" fw={600}>
        {identities.length === 0 ? "Nobody’s scores, badges or escalations change." : `${identities.length.toLocaleString("en")} ${identities.length === 1 ? "identity changes" : "identities change"}.`}
        {others && <Text span fw={400} inherit>{others}</Text>}
      </Text>
      {identities.length > 0 && <Changes identities={identities} />}
      <Sent deliveries={deliveries} />
    </Stack>
  );
}

function Changes({ identities }: { identities: Altered[] }) {
  return (
    <div className="table-box" data-stacks role="group" aria-label="Identities that change" tabIndex={0} style={{ maxHeight: "40vh", overflow: "auto" }}>
      <Table verticalSpacing={5} horizontalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Identity</Table.Th>
            {CATEGORIES.map((category) => <Table.Th key={category}>{word(category)}</Table.Th>)}
            <Table.Th>Badges and escalations</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {identities.map((one) => (
            <Table.Tr key={one.identity.id}>
              <Table.Td miw={120} data-title="Identity"><IdentityLink id={one.identity.id} name={one.identity.label} isInList /></Table.Td>
              {CATEGORIES.map((category) => <Table.Td key={category} data-title={word(category)}><FromTo category={category} before={one.before} after={one.after} /></Table.Td>)}
              <Table.Td miw={180} data-title="Badges and escalations"><Text fz="sm">{consequences(one).join("; ") || "–"}</Text></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function FromTo({ category, before, after }: { category: Category; before: Four; after: Four }) {
  const name = category.toLowerCase() as keyof Four;
  const [from, to] = [before[name] ?? null, after[name] ?? null];
  if (from === to) return <ScoreChip category={category} value={from} />;
  return (
    <span style={{ whiteSpace: "nowrap" }}>
      <ScoreChip category={category} value={from} /> <span aria-label="to">→</span> <ScoreChip category={category} value={to} />
    </span>
  );
}

function consequences({ badgesAdded, badgesRemoved, escalationsOpened, escalationsClosed }: Altered): string[] {
  const named = (words: string, names: string[]) => (names.length > 0 ? [`${words} ${names.join(", ")}`] : []);
  return [
    ...named("gets", badgesAdded), ...named("loses", badgesRemoved),
    ...named("opens", escalationsOpened.map(({ label }) => label)), ...named("closes", escalationsClosed.map(({ label }) => label)),
  ];
}

/** What channels are sent. */
export function Sent({ deliveries }: { deliveries: Preview["deliveries"] }) {
  const { data: channels } = $api.useQuery("get", "/api/channels", undefined, { enabled: deliveries.length > 0 });
  const nameOf = (id: number, slug: string) => channels?.find((channel) => channel.id === id)?.name ?? slug;
  if (deliveries.length === 0) return <Text fz="sm" c="dimmed">Nothing is sent: no channel is subscribed to what changes.</Text>;
  return (
    <Text fz="sm" component="div">
      Sent to your channels:
      <ul style={{ margin: "0.25rem 0 0", paddingLeft: "1.25rem" }}>
        {deliveries.map(({ channelId, channel, enabled, event, count, countIsExact }) => (
          <li key={`${channelId} ${event}`}>
            {!countIsExact && "at most "}{count.toLocaleString("en")} × {word(event)} to <PageLink to="/settings/channels/$id" params={{ id: String(channelId) }} fz="sm" underline="always">{nameOf(channelId, channel)}</PageLink>
            {!countIsExact && ", by its conditions"}
            {!enabled && " (paused: the channel is disabled)"}
          </li>
        ))}
      </ul>
    </Text>
  );
}

// Who was active last; those of one wave, who look alike and came together, are one row that opens.

import { Table, Text, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";
import { $api, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { Badges, ScoreChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { bounded } from "../../parts/counts";
import { band, CATEGORIES, scoreOf, word, type Category } from "../../parts/score";
import { Time } from "../../parts/Time";
import { goesOn, wavesOf, type Wave } from "./waves";

type Identity = Schemas["IdentityBody"];

/** Identities that are looked at, and rows that are shown of them. */
const LOOKED_AT = 100;
const ROWS = 10;
/** So few are shown one by one. */
const WAVE_MIN = 3;
/** The highest colour of a score that somebody should look at. */
const DOUBTFUL = 1;

export function RecentlyActive() {
  const recent = $api.useQuery("get", "/api/identities", { params: { query: { sort: "lastTrackedAt", order: "DESC", pageSize: LOOKED_AT } } });
  return (
    <Panel title="Recently active" actions={<PageLink to="/identities" fz="sm">All identities</PageLink>}>
      <Answer of={recent} lines={ROWS}>
        {({ content, last }) => content.length === 0 ? <Empty title="No identities yet" /> : (
          <div className="table-box" data-stacks data-short role="group" aria-label="Who was active last" tabIndex={0}>
            <Table verticalSpacing={5} horizontalSpacing="xs">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Identity</Table.Th>
                  {CATEGORIES.map((category) => <Table.Th key={category}>{word(category)}</Table.Th>)}
                  <Table.Th>Last received</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>{rowsOf(content).slice(0, ROWS).map((wave) => <Rows key={wave.rows[0]?.id} wave={wave} isCut={!last && goesOn(wave, oldest(content))} />)}</Table.Tbody>
            </Table>
          </div>
        )}
      </Answer>
    </Panel>
  );
}

/** Why somebody stands out: the categories that are low, and the badges; undefined for ordinary people. */
function reasonOf(identity: Identity): string | undefined {
  const low = CATEGORIES.filter((category) => isLow(scoreOf(identity, category)));
  const badges = identity.badges.filter(({ type }) => type === "BAD").map(({ slug }) => slug);
  return low.length + badges.length === 0 ? undefined : [...low, ...badges].join(" ");
}

function isLow(score: number | null): boolean {
  return score !== null && band(score) <= DOUBTFUL;
}

function rowsOf(identities: Identity[]): Wave<Identity>[] {
  const waves = wavesOf(identities, { reason: reasonOf, at: ({ lastTrackedAt }) => Date.parse(lastTrackedAt) });
  const alone = (row: Identity) => ({ rows: [row], from: Date.parse(row.lastTrackedAt), to: Date.parse(row.lastTrackedAt) });
  return waves.flatMap((wave) => (wave.rows.length < WAVE_MIN ? wave.rows.map(alone) : [wave])).toSorted((one, other) => other.to - one.to);
}

function oldest(identities: Identity[]): number {
  return Math.min(...identities.map(({ lastTrackedAt }) => Date.parse(lastTrackedAt)));
}

/** `isCut`: there may be more of it than were looked at. */
function Rows({ wave, isCut }: { wave: Wave<Identity>; isCut: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const [first] = wave.rows;
  if (!first) return null;
  if (wave.rows.length === 1) return <One identity={first} />;
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <>
      <Table.Tr>
        <Table.Td maw={420} data-title="Identity" data-place="head">
          <UnstyledButton fz="inherit" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            <Chevron size={14} aria-hidden style={{ verticalAlign: "-2px" }} /> <Text span fw={600} inherit>{bounded(wave.rows.length, !isCut)} identities</Text>
          </UnstyledButton>{" "}
          <Badges badges={first.badges} />
        </Table.Td>
        {CATEGORIES.map((category) => <Table.Td key={category} data-title={word(category)} data-place="part"><Span category={category} identities={wave.rows} /></Table.Td>)}
        <Table.Td data-title="Last received" data-place="side"><Time at={first.lastTrackedAt} /></Table.Td>
      </Table.Tr>
      {isOpen && wave.rows.map((identity) => <One key={identity.id} identity={identity} isOfWave />)}
    </>
  );
}

function One({ identity, isOfWave = false }: { identity: Identity; isOfWave?: boolean }) {
  return (
    <Table.Tr>
      <Table.Td maw={420} pl={isOfWave ? 28 : undefined} data-title="Identity" data-place="head">
        <IdentityLink id={identity.id} name={identity.displayName ?? identity.displayEmail} isInList beside={!isOfWave && <Badges badges={identity.badges} />} />
      </Table.Td>
      {CATEGORIES.map((category) => <Table.Td key={category} data-title={word(category)} data-place="part"><ScoreChip category={category} value={scoreOf(identity, category)} /></Table.Td>)}
      <Table.Td data-title="Last received" data-place="side"><Time at={identity.lastTrackedAt} /></Table.Td>
    </Table.Tr>
  );
}

/** The lowest and the highest score of a wave. */
function Span({ category, identities }: { category: Category; identities: Identity[] }) {
  const scores = identities.map((identity) => scoreOf(identity, category)).filter((score) => score !== null);
  if (scores.length === 0) return <ScoreChip category={category} value={null} />;
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  if (least === most) return <ScoreChip category={category} value={least} />;
  return <span className="chip" data-kind="score" data-tone={band(least)}>{least}–{most}</span>;
}

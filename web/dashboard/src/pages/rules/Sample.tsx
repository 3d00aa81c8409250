// Some of the identities that a rule is about, with their scores.

import { Table, VisuallyHidden } from "@mantine/core";
import type { Schemas } from "../../api";
import { Badges, ScoreChip } from "../../parts/Chip";
import { PageLink } from "../../parts/PageLink";
import { CATEGORIES, scoreOf, shortWord, word } from "../../parts/score";

type Identity = Schemas["IdentityBody"];

/** The table stands beside the rule, where there is less room than lists have. */
const NARROW = { minWidth: "6.5rem" };

/** Links open beside the page, so that what is being edited stays. */
export function Sample({ label, identities }: { label: string; identities: Identity[] }) {
  return (
    <div className="table-box" data-stacks role="group" aria-label={label} tabIndex={0}>
      <Table verticalSpacing={4} horizontalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Identity</Table.Th>
            {CATEGORIES.map((category) => (
              <Table.Th key={category} w={54} title={word(category)}>
                <span aria-hidden>{shortWord(category)}</span>
                <VisuallyHidden>{word(category)}</VisuallyHidden>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {identities.map((identity) => (
            <Table.Tr key={identity.id}>
              <Table.Td miw={110} data-title="Identity"><Who identity={identity} /></Table.Td>
              {CATEGORIES.map((category) => (
                <Table.Td key={category} data-title={word(category)}><ScoreChip category={category} value={scoreOf(identity, category)} /></Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Who({ identity }: { identity: Identity }) {
  const name = identity.displayName || identity.displayEmail;
  return (
    <>
      <PageLink to="/identities/$id" params={{ id: identity.id }} target="_blank" className="break" style={NARROW}>{name || identity.id}</PageLink>{" "}
      {name && <span className="below">{identity.id}</span>}{" "}
      <Badges badges={identity.badges.filter(({ type }) => type === "GOOD")} />
    </>
  );
}

// Some of the identities that a rule is about, with their scores.

import { Table, VisuallyHidden } from "@mantine/core";
import type { Schemas } from "../../api";
import { Badges, ScoreChip } from "../../parts/Chip";
import { PageLink } from "../../parts/PageLink";
import { CATEGORIES, scoreOf, word } from "../../parts/score";

/** Links open beside the page, so that what is being edited stays. */
export function Sample({ label, identities }: { label: string; identities: Schemas["IdentityBody"][] }) {
  return (
    <div className="table-box" role="group" aria-label={label} tabIndex={0}>
      <Table verticalSpacing={4} horizontalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Identity</Table.Th>
            {CATEGORIES.map((category) => (
              <Table.Th key={category} title={word(category)}>
                <span aria-hidden>{word(category).charAt(0)}</span>
                <VisuallyHidden>{word(category)}</VisuallyHidden>
              </Table.Th>
            ))}
            <Table.Th>Badges</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {identities.map((identity) => (
            <Table.Tr key={identity.id}>
              <Table.Td miw={120}>
                <PageLink to="/identities/$id" params={{ id: identity.id }} target="_blank" className="break">
                  {identity.displayName || identity.displayEmail || identity.id}
                </PageLink>
              </Table.Td>
              {CATEGORIES.map((category) => (
                <Table.Td key={category}><ScoreChip category={category} value={scoreOf(identity, category)} /></Table.Td>
              ))}
              <Table.Td><Badges badges={identity.badges} most={1} /></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

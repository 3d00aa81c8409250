import { Table } from "@mantine/core";
import { $api } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { Badges, ScoreChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { CATEGORIES, scoreOf, word } from "../../parts/score";
import { Time } from "../../parts/Time";

const SHOWN = 10;

/** Who has done something last. */
export function RecentlyActive() {
  const recent = $api.useQuery("get", "/api/identities", { params: { query: { sort: "lastTrackedAt", order: "DESC", pageSize: SHOWN } } });
  return (
    <Panel title="Recently active" actions={<PageLink to="/identities" fz="sm">All identities</PageLink>}>
      <Answer of={recent} lines={SHOWN}>
        {({ content }) => content.length === 0 ? <Empty title="No identities yet" /> : (
          <div className="table-box" role="group" aria-label="Who was active last" tabIndex={0}>
            <Table verticalSpacing={5} horizontalSpacing="xs">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Identity</Table.Th>
                  {CATEGORIES.map((category) => <Table.Th key={category}>{word(category)}</Table.Th>)}
                  <Table.Th>Last seen</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {content.map((identity) => (
                  <Table.Tr key={identity.id}>
                    <Table.Td maw={280}>
                      <IdentityLink id={identity.id} name={identity.displayName} />{" "}
                      <Badges badges={identity.badges} />
                    </Table.Td>
                    {CATEGORIES.map((category) => (
                      <Table.Td key={category}><ScoreChip category={category} value={scoreOf(identity, category)} /></Table.Td>
                    ))}
                    <Table.Td><Time at={identity.lastTrackedAt} /></Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </Answer>
    </Panel>
  );
}

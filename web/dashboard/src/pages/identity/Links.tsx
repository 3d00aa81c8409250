// What an identity has in common with others: as a graph to explore, and as a list that says the same.

import { Stack, Table, Text } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { Panel } from "../../parts/Page";
import { IdentityLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { Cluster } from "./Cluster";
import classes from "./Identity.module.css";
import { kindOf, linkColour } from "./links";

type Link = Schemas["LinkBody"];

export function Links({ id }: { id: string }) {
  const links = $api.useQuery("get", "/api/identities/{id}/links", { params: { path: { id } } });
  return (
    <Answer of={links} lines={8}>
      {(found) => (found.length === 0 ? <NoLinks /> : (
        <Stack gap="md">
          <Cluster id={id} />
          <Panel title="Links" note="With each identity that has something in common with this one, the strongest first.">
            <LinkTable links={found} />
          </Panel>
        </Stack>
      ))}
    </Answer>
  );
}

function NoLinks() {
  return (
    <div className="panel">
      <Empty title="No links">
        Identities are linked by what they share: a device, a session, an address, or a name and an e-mail address that are much alike.
        This one shares nothing with anybody.
      </Empty>
    </div>
  );
}

function LinkTable({ links }: { links: Link[] }) {
  return (
    <div className="table-box" data-stacks role="group" aria-label="Links" tabIndex={0}>
      <Table verticalSpacing={6} horizontalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Identity</Table.Th><Table.Th>Link</Table.Th><Table.Th>Why</Table.Th><Table.Th>Strength</Table.Th><Table.Th>Confidence</Table.Th><Table.Th>Since</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {links.map((link) => <LinkRow key={`${link.type} ${link.targetIdentityId ?? link.createdAt}`} link={link} />)}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function LinkRow({ link: { targetIdentityId, targetDisplayName, type, explanation, value, confidence, createdAt } }: { link: Link }) {
  return (
    <Table.Tr>
      <Table.Td miw={120} data-title="Identity">{targetIdentityId ? <IdentityLink id={targetIdentityId} name={targetDisplayName} isInList /> : <Text fz="sm" c="dimmed">a deleted identity</Text>}</Table.Td>
      <Table.Td data-title="Link"><Kind type={type} /></Table.Td>
      <Table.Td data-title="Why"><Text fz="sm" miw={260} className="break">{explanation}</Text></Table.Td>
      <Table.Td className="numbers" data-title="Strength">{value.toFixed(2)}</Table.Td>
      <Table.Td className="numbers" data-title="Confidence">{confidence.toFixed(2)}</Table.Td>
      <Table.Td data-title="Since"><Time at={createdAt} /></Table.Td>
    </Table.Tr>
  );
}

/** A kind of link with its colour. */
export function Kind({ type }: { type: string }) {
  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: 6, whiteSpace: "nowrap" }}>
      <span className={classes.legendEdge} style={{ background: linkColour(type) }} aria-hidden />
      {kindOf(type)}
    </span>
  );
}

// What rules have wanted somebody to look at, of one identity.

import { Group, Text } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { ScoreChip, StatusChip } from "../../parts/Chip";
import { ListTable, type Column } from "../../parts/ListTable";
import { PageLink } from "../../parts/PageLink";
import { CATEGORIES } from "../../parts/score";
import { Time } from "../../parts/Time";
import { DRAWN } from "../rules/rules";
import { useListQuery } from "../../app/search";

type Escalation = Schemas["EscalationBody"];

const COLUMNS: Column<Escalation>[] = [
  { title: "Status", cell: ({ status }) => <StatusChip status={status} /> },
  { title: "Severity", sort: "severity", first: "DESC", cell: ({ severity }) => <StatusChip status={severity} /> },
  { title: "Rule", cell: ({ escalationRule: { id, label } }) => id === DRAWN ? label : <PageLink to="/escalation-rules/$id" params={{ id }} className="break">{label}</PageLink> },
  { title: "Scores at opening", cell: ({ scoreSnapshot }) => <Snapshot scores={scoreSnapshot} /> },
  { title: "Opened", sort: "openedAt", first: "DESC", cell: ({ openedAt }) => <Time at={openedAt} /> },
  { title: "Acknowledged", cell: ({ acknowledgedAt, acknowledgedBy }) => <><Time at={acknowledgedAt} /><By>{acknowledgedBy}</By></> },
  { title: "Closed", cell: ({ closedAt, closedBy, closeReason }) => <><Time at={closedAt} />{closedAt && <By>{closedBy ?? "its rule"}</By>}{closeReason && <Text fz="xs" c="dimmed" maw={260} className="break">{closeReason}</Text>}</> },
];

export function Escalations({ id }: { id: string }) {
  const query = { ...useListQuery(), identity: id };
  const escalations = $api.useQuery("get", "/api/escalations", { params: { query } }, { placeholderData: keepPreviousData });
  return (
    <>
      <Answer of={escalations} lines={4}>
        {(page) => (
          <ListTable
            label="Escalations"
            page={page}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            isWaiting={escalations.isPlaceholderData}
            empty={<Empty title="No escalations">An escalation opens when the conditions of one of your escalation rules hold.</Empty>}
          />
        )}
      </Answer>
      <Group><PageLink to="/escalations" search={{ identity: id } as never} fz="sm">Open in the queue</PageLink></Group>
    </>
  );
}

function By({ children }: { children: string | null | undefined }) {
  return children ? <Text fz="xs" c="dimmed" className="break">by {children}</Text> : null;
}

function Snapshot({ scores }: { scores: Escalation["scoreSnapshot"] }) {
  return (
    <Group gap={4} wrap="nowrap">
      {CATEGORIES.map((category) => <ScoreChip key={category} category={category} value={scores[category] ?? null} />)}
    </Group>
  );
}

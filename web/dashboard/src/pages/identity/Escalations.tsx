// What rules have wanted somebody to look at, of one identity.

import { Button, Group, Stack, Text } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { ScoreChip, StatusChip } from "../../parts/Chip";
import { ListTable, type Column } from "../../parts/ListTable";
import { PageLink } from "../../parts/PageLink";
import { CATEGORIES, shortWord, word } from "../../parts/score";
import { exactTime, Time } from "../../parts/Time";
import { identityQuery } from "../escalations/escalations";
import { DRAWN } from "../rules/rules";
import { useListQuery } from "../../app/search";

type Escalation = Schemas["EscalationBody"];

const COLUMNS: Column<Escalation>[] = [
  { title: "Status", cell: ({ status }) => <StatusChip status={status} /> },
  { title: "Severity", sort: "severity", first: "DESC", cell: ({ severity }) => <StatusChip status={severity} /> },
  { title: "Rule", cell: ({ escalationRule: { id, label } }) => id === DRAWN ? label : <PageLink to="/escalation-rules/$id" params={{ id }} className="break">{label}</PageLink> },
  { title: "Scores at opening", cell: ({ scoreSnapshot }) => <Snapshot scores={scoreSnapshot} /> },
  { title: "Opened", sort: "openedAt", first: "DESC", cell: ({ openedAt }) => <Time at={openedAt} /> },
  { title: "Acknowledged", cell: ({ acknowledgedAt, acknowledgedBy }) => <><Time at={acknowledgedAt} />{" "}<By>{acknowledgedBy}</By></> },
  { title: "Closed", cell: ({ closedAt, closedBy, closeReason }) => <><Time at={closedAt} />{" "}{closedAt && <By>{closedBy ?? "its rule"}</By>}{closeReason && <Text fz="xs" c="dimmed" maw={260} className="break">{closeReason}</Text>}</> },
];

export function Escalations({ id }: { id: string }) {
  const query = { ...useListQuery(), identity: id };
  const escalations = $api.useQuery("get", "/api/escalations", { params: { query } }, { placeholderData: keepPreviousData });
  return (
    <>
      <Snoozed id={id} />
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

/** Rules that are put off for this identity. */
function Snoozed({ id }: { id: string }) {
  const { triage } = useMay();
  const { data: identity } = useQuery(identityQuery(id));
  const end = $api.useMutation("post", "/api/identities/{id}/actions/end-snooze", {
    onSuccess: async () => {
      tell("The snooze has ended: the rule opens an escalation if its conditions hold.");
      await refresh("/api/identities", "/api/escalations");
    },
  });
  if (!identity || identity.snoozedRules.length === 0) return null;
  return (
    <Stack gap="xs" role="group" aria-label="Snoozed rules">
      <Text fz="sm" fw={600}>Snoozed</Text>
      {identity.snoozedRules.map(({ escalationRule, until, snoozedAt, snoozedBy, reason }) => (
        <Group key={escalationRule.id} gap="xs">
          <PageLink to="/escalation-rules/$id" params={{ id: escalationRule.id }} className="break">{escalationRule.label}</PageLink>
          <Text fz="sm">opens nothing until {exactTime(until)}</Text>
          {triage && (
            <Button size="compact-xs" variant="default" aria-label={`End the snooze of ${escalationRule.label}`} loading={end.isPending} onClick={() => end.mutate({ params: { path: { id } }, body: { rule: escalationRule.id } })}>
              End
            </Button>
          )}
          <Text fz="sm" c="dimmed" className="break">snoozed <Time at={snoozedAt} /> by {snoozedBy}{reason && `: ${reason}`}</Text>
        </Group>
      ))}
    </Stack>
  );
}

function By({ children }: { children: string | null | undefined }) {
  return children ? <Text fz="xs" c="dimmed" className="break">by {children}</Text> : null;
}

function Snapshot({ scores }: { scores: Escalation["scoreSnapshot"] }) {
  return (
    <Group gap={4} wrap="nowrap">
      {CATEGORIES.map((category) => (
        <div key={category} style={{ textAlign: "center" }}>
          <Text fz={11} c="dimmed" lh={1.2} aria-hidden title={word(category)}>{shortWord(category)}</Text>
          <ScoreChip category={category} value={scores[category] ?? null} />
        </div>
      ))}
    </Group>
  );
}

// Every label of an identity, the newest first; those that were withdrawn stay.

import { Group, Text } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { ListTable, type Column } from "../../parts/ListTable";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { word } from "../../parts/score";
import { whole } from "../settings/whole";
import { OutcomeChip } from "./OutcomeChip";
import { Withdraw } from "./Withdraw";
import { kindWords, type Label } from "./words";

/** The most that the API lists. */
const SHOWN_MAX = 100;

function columns({ id, label }: Schemas["IdentityBody"]): Column<Label>[] {
  return [
    { title: "Label", cell: (one) => <Group gap={4}><OutcomeChip outcome={one.outcome} /><State of={one} counting={label?.id} /></Group> },
    { title: "Kind", cell: ({ kind }) => kindWords(kind) ?? "–" },
    { title: "Reason and note", cell: ({ reason, note }) => <Words reason={reason} note={note} /> },
    { title: "Source", cell: ({ source }) => word(source) },
    { title: "By", cell: ({ author, withdrawnBy, withdrawnAt }) => <><span className="break">{author}</span>{withdrawnAt && <Text fz="xs" c="dimmed" className="break">withdrawn by {withdrawnBy} <Time at={withdrawnAt} /></Text>}</> },
    { title: "Decided", cell: ({ at }) => <Time at={at} /> },
    { title: "Analysis", cell: ({ cycleId }) => (cycleId ? <PageLink to="/identities/$id" params={{ id }} search={{ cycle: String(cycleId) } as never} className="numbers">Cycle {cycleId}</PageLink> : "–") },
    { title: "", cell: (one) => (one.withdrawnAt ? null : <Withdraw id={one.id} />) },
  ];
}

export function LabelList({ identity }: { identity: Schemas["IdentityBody"] }) {
  const labels = $api.useQuery("get", "/api/identities/{id}/labels", { params: { path: { id: identity.id } } });
  return (
    <Answer of={labels} lines={4}>
      {(found) => (
        <>
          <ListTable
            label="Labels"
            page={whole(found)}
            columns={columns(identity)}
            rowKey={({ id }) => id}
            empty={<NoLabels />}
          />
          {found.length === SHOWN_MAX && <Text fz="sm" c="dimmed">The newest {SHOWN_MAX}.</Text>}
        </>
      )}
    </Answer>
  );
}

function NoLabels() {
  return (
    <Empty title="No labels">
      A label is what a person decides of an identity: good or bad. Give one above, while closing an escalation, or by the API
      for chargebacks and appeals.
    </Empty>
  );
}

function State({ of: { id, withdrawnAt }, counting }: { of: Label; counting: number | undefined }) {
  if (withdrawnAt) return <Chip>Withdrawn</Chip>;
  return id === counting ? <Chip tone={2}>Counts</Chip> : null;
}

function Words({ reason, note }: { reason: string | null | undefined; note: string | null | undefined }) {
  if (!reason && !note) return <>–</>;
  return (
    <>
      {reason && <Text fz="sm" maw={320} className="break">{reason}</Text>}
      {note && <Text fz="xs" c="dimmed" maw={320} className="break" style={{ whiteSpace: "pre-wrap" }}>Note: {note}</Text>}
    </>
  );
}

// Counters of the team's own: what is counted over its events, for rules to use.

import { Group, Text } from "@mantine/core";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Confirm } from "../../parts/Confirm";
import { counted } from "../../parts/counts";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page } from "../../parts/Page";
import { Time } from "../../parts/Time";
import { usesCounter } from "../rules/condition";
import { useBadgeRules, useEscalationRules } from "../rules/rules";
import { whole } from "../settings/whole";
import { EditCounter, NewCounter } from "./CounterForm";
import { ReadyMade } from "./ReadyMade";
import { CounterValues } from "./ValuesNow";

type Counter = Schemas["CounterBody"];

/** How long one that counts its past is looked at again. */
const BUILDING_MS = 2_000;
/** More than a team can have. */
const PAGE_SIZE = 100;

const COLUMNS: Column<Counter>[] = [
  {
    title: "Counter",
    cell: ({ name, slug }) => (
      <>
        <Text fw={500} fz="sm" className="break">{name}</Text>
        <Text c="dimmed" fz="xs" className="break">{slug}</Text>
      </>
    ),
  },
  { title: "Counts", cell: ({ words }) => <span className="break">{words}</span> },
  { title: "Status", cell: ({ status }) => (status === "READY" ? <Chip>Ready</Chip> : <Chip>Counting the past</Chip>) },
  { title: "Used by", cell: ({ slug }) => <UsedBy slug={slug} /> },
  { title: "Updated", cell: ({ updatedAt }) => <Time at={updatedAt} /> },
];

/** What whoever may change counters, or not, can do with one. */
function actions(mayChange: boolean): Column<Counter> {
  return {
    title: "Actions",
    cell: (counter) => (
      <Group gap={4}>
        <CounterValues counter={counter} />
        {mayChange && <><EditCounter counter={counter} /><Remove counter={counter} /></>}
      </Group>
    ),
  };
}

/** How many rules use it. */
function UsedBy({ slug }: { slug: string }) {
  const [badges, escalations] = [useBadgeRules(), useEscalationRules()];
  if (!badges.data || !escalations.data) return null;
  const count = [...badges.data, ...escalations.data].filter(({ conditions }) => conditions.some((condition) => usesCounter(condition, slug))).length;
  return count === 0 ? <Text span c="dimmed" fz="sm">No rule</Text> : <>{counted(count, "rule")}</>;
}

export function Counters() {
  const { manage } = useMay();
  const counters = $api.useQuery("get", "/api/counters", { params: { query: { pageSize: PAGE_SIZE } } }, {
    refetchInterval: ({ state }) => (state.data?.content.some(({ status }) => status !== "READY") ? BUILDING_MS : false),
  });
  const mayNot = useMayNot("manage", "create, change and delete counters");
  return (
    <Page title="Counters" mayNot={mayNot} actions={manage && <Group gap="xs"><ReadyMade /><NewCounter /></Group>}>
      <Answer of={counters} lines={4}>
        {({ content }) => (
          <ListTable
            label="Counters" page={whole(content)} columns={[...COLUMNS, actions(manage)]} rowKey={({ id }) => id}
            empty={<Empty title="No counters yet">A counter says how often, how many different or how much, such as accounts on one device in an hour. Rules use it.</Empty>}
          />
        )}
      </Answer>
    </Page>
  );
}

function Remove({ counter }: { counter: Counter }) {
  const remove = $api.useMutation("delete", "/api/counters/{id}", {
    onSuccess: async () => {
      await refresh("/api/counters");
      tell(`${counter.name} is deleted.`);
    },
  });
  return (
    <Confirm
      action="Delete"
      question={`Delete the counter “${counter.name}”?`}
      color="red"
      variant="subtle"
      loading={remove.isPending}
      onConfirm={() => remove.mutate({ params: { path: { id: counter.id } } })}
    >
      What it has counted is gone. One that a rule or a channel uses cannot be deleted.
    </Confirm>
  );
}

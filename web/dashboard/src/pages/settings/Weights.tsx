// How heavily analyzers count, and what the team's labels say of that: proposed, in shadow, in force, rolled back.

import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { Answer, Empty, Failure } from "../../parts/Answer";
import { StatusChip } from "../../parts/Chip";
import { Confirm } from "../../parts/Confirm";
import { ListTable, type Column } from "../../parts/ListTable";
import { Facts, Page, Panel } from "../../parts/Page";
import { word } from "../../parts/score";
import { Time } from "../../parts/Time";
import { whole } from "./whole";

type Weight = Schemas["WeightBody"];
type Version = Schemas["WeightsVersionBody"];
type Compared = Schemas["ComparedBody"];

const COLUMNS: Column<Weight>[] = [
  { title: "Analyzer", cell: ({ label }) => label },
  { title: "Category", cell: ({ category }) => word(category) },
  { title: "Default", cell: ({ shipped }) => shipped },
  { title: "In force", cell: ({ inForce, shipped }) => (inForce === shipped ? inForce : <b>{inForce}</b>) },
  { title: "In shadow", cell: ({ shadow, inForce }) => (shadow == null ? "–" : shadow === inForce ? shadow : <b>{shadow}</b>) },
];

const again = () => refresh("/api/weights");

export function Weights() {
  const weights = $api.useQuery("get", "/api/weights");
  return (
    <Page title="Weights" mayNot={useMayNot("manage", "calibrate weights, and put them in force")}>
      <Calibrate />
      <Answer of={weights} lines={8}>
        {({ analyzers, versions }) => (
          <>
            {versions.length === 0 && <Empty title="No calibration yet">The weights in force are the defaults, except where the setting <code>analyzer_weights</code> has others.</Empty>}
            {versions.map((version) => <OneVersion key={version.id} version={version} analyzers={analyzers} />)}
            <ListTable label="Weights of the analyzers" page={whole(analyzers)} columns={COLUMNS} rowKey={({ analyzer }) => analyzer} empty={null} />
          </>
        )}
      </Answer>
    </Page>
  );
}

function Calibrate() {
  const { manage } = useMay();
  const versions = $api.useQuery("get", "/api/weights").data?.versions;
  const calibrate = $api.useMutation("post", "/api/weights/actions/calibrate", { onError: () => {}, onSuccess: again });
  const { data, error } = calibrate;
  // What has become of a proposal since, its own panel says.
  const isProposed = versions?.some(({ id, state }) => id === data?.version?.id && state === "PROPOSED");
  const button = <Button variant="default" loading={calibrate.isPending} onClick={() => calibrate.mutate({})}>Calibrate</Button>;
  return (
    <Panel
      title="Calibrate by your labels"
      note="Weights are fitted to the earlier 70% of those labeled and measured on the rest. It takes 50 labeled bad and 200 labeled good. A proposal changes nothing."
      actions={manage && button}
    >
      {data?.refusal && <Alert title="Nothing is proposed" role="status">{data.refusal}.</Alert>}
      {data?.version && isProposed && <Alert color="green" title="Proposed" role="status">Version {data.version.id} is below.</Alert>}
      {Boolean(error) && <Failure error={error} />}
    </Panel>
  );
}

const figure = (value: number) => value.toFixed(3);

/** By how much the rest of the labels says that it is better, as it is shown: what rounds to nothing is nothing. */
function betterWords(low: number, high: number): string {
  const [least, most] = [Number(figure(low)), Number(figure(high))];
  if (most <= 0) return least < 0 ? `no better, perhaps worse by ${figure(-least)}` : "no better";
  if (least < 0) return `from worse by ${figure(-least)} to better by ${figure(most)}`;
  return least === 0 ? `better by ${figure(most)} at most` : `better by ${figure(least)} to ${figure(most)}`;
}

function gain({ before, after, gain: { low, high } }: Compared): string {
  return `${figure(before)} → ${figure(after)} (${betterWords(low, high)}, 95%)`;
}

function OneVersion({ version, analyzers }: { version: Version; analyzers: Weight[] }) {
  const { id, state, report, warnings, createdAt, createdBy, changedAt, changedBy } = version;
  const changed = report.analyzers.filter(({ before, after }) => before !== after);
  const name = (id: string) => analyzers.find(({ analyzer }) => analyzer === id)?.label ?? id;
  return (
    <Panel title={`Version ${id}`} note={<StatusChip status={state} />} actions={<Actions version={version} />}>
      <Facts
        facts={[
          ["Calibrated", <><Time at={createdAt} /> by {createdBy}</>],
          ["Last changed", changedAt && <><Time at={changedAt} /> by {changedBy}</>],
          ["Measured on", `${report.later.bad} bad, ${report.later.good} good`],
          ["Log-loss", gain(report.logLoss)],
          ["Found at 1% false positives", gain(report.recall)],
          ["Changes", changed.length === 0 ? "none" : changed.map(({ id, before, after }) => <div key={id}>{name(id)} <span className="numbers" style={{ whiteSpace: "nowrap" }}>{before} → {after}</span></div>)],
        ]}
      />
      {warnings.length > 0 && (
        <Alert color="yellow" icon={<IconAlertTriangle size={18} />} title={state === "PROPOSED" || state === "SHADOW" ? "Look at this before you promote it" : "What was to be looked at before it was promoted"}>
          <Stack gap={4}>{warnings.map((warning) => <Text key={warning} fz="sm">{warning}</Text>)}</Stack>
        </Alert>
      )}
    </Panel>
  );
}

function Actions({ version: { id, state, replacedId } }: { version: Version }) {
  const { manage } = useMay();
  const done = (words: string) => ({
    onSuccess: async () => {
      tell(words);
      await again();
    },
  });
  const shadow = $api.useMutation("post", "/api/weights/{id}/actions/shadow", done("In shadow: each analysis has what its scores would be."));
  const promote = $api.useMutation("post", "/api/weights/{id}/actions/promote", done("In force. Everybody is rescored."));
  const rollBack = $api.useMutation("post", "/api/weights/actions/roll-back", done("Rolled back. Everybody is rescored."));
  const of = { params: { path: { id } } };
  if (!manage) return null;
  return (
    <Group gap="xs">
      {(state === "PROPOSED" || state === "RETIRED") && (
        <Button variant="default" loading={shadow.isPending} onClick={() => shadow.mutate(of)}>Put in shadow</Button>
      )}
      {state === "SHADOW" && (
        <Confirm action="Promote" question={`Promote version ${id}?`} loading={promote.isPending} onConfirm={() => promote.mutate(of)}>
          Everybody is rescored by these weights, and rules act on what comes of it.
        </Confirm>
      )}
      {state === "IN_FORCE" && (
        <Confirm action="Roll back" question={`Roll back version ${id}?`} loading={rollBack.isPending} onConfirm={() => rollBack.mutate({})}>
          {replacedId == null ? "The weights from before the first calibration" : `Version ${replacedId}`} will be in force again, and everybody is rescored.
        </Confirm>
      )}
    </Group>
  );
}

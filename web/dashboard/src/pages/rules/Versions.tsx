// What a rule was, the draft beside it, and each of them beside the rule on the same past.

import { Button, Group, Stack, Table, Text } from "@mantine/core";
import { useMemo, useState, type ReactNode } from "react";
import { Answer } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { counted } from "../../parts/counts";
import { byDay } from "../../parts/days";
import { LineChart } from "../../parts/LineChart";
import { Panel } from "../../parts/Page";
import { Time } from "../../parts/Time";
import { useMay } from "../../app/session";
import { pathWords, valueWords } from "../settings/audit";
import { differences } from "../settings/difference";
import { AccuracyCell } from "./Accuracy";
import { reach } from "./condition";
import { AdditionsInWords } from "./ListAdditions";
import { ConditionsInWords } from "./RuleTable";
import { Sample } from "./Sample";
import type { BadgeRule, EscalationRule } from "./rules";
import { useComparison, useDiscard, usePromote, useRestore, useVersions, type Comparison, type RuleKind, type RuleOf, type Version } from "./versions";

/** Versions that are shown until somebody asks for more. */
const SHOWN = 5;

interface Props<Kind extends RuleKind> {
  kind: Kind;
  rule: RuleOf<Kind>;
  /** Puts a version into the form; not for those who may not change the rule. */
  edit?: (rule: RuleOf<Kind>) => void;
  /** After another version is in force. */
  changed?: () => void;
}

/** The draft, if there is one. */
export function Draft<Kind extends RuleKind>({ kind, rule, edit, changed }: Props<Kind>) {
  const { data } = useVersions(kind, rule.id);
  const discard = useDiscard(kind, rule.id);
  const promote = usePromote(kind, rule.id);
  const { manage } = useMay();
  const draft = data?.draft;
  if (!draft) return null;
  return (
    <Panel title="Draft beside this rule" note={<>By {draft.createdBy ?? "somebody"}, <Time at={draft.createdAt} />. It is only tried on the past.</>}>
      <Text fz="sm"><ConditionsInWords conditions={draft.rule.conditions} /><AndAdds rule={draft.rule} />{!draft.rule.enabled && " (disabled)"}</Text>
      <Differences from={rule} to={draft.rule} />
      <Compared kind={kind} id={rule.id} name="Draft" of={`${rule.updatedAt} ${draft.createdAt}`}>
        {manage && (<>
          {edit && <Button size="xs" variant="default" onClick={() => edit(draft.rule)}>Edit</Button>}
          <Confirm action="Put in force" question={`Put the draft of “${rule.name}” in force?`} loading={promote.isPending} onConfirm={() => promote.mutate(undefined, changed ? { onSuccess: changed } : {})}>
            <Differences from={rule} to={draft.rule} />
            It takes the place of the rule, whose versions are kept. {reach(draft.rule.conditions)}
          </Confirm>
          <Confirm action="Discard" question={`Discard the draft of “${rule.name}”?`} loading={discard.isPending} onConfirm={() => discard.mutate(undefined)}>
            The rule in force stays as it is.
          </Confirm>
        </>)}
      </Compared>
    </Panel>
  );
}

/** What a rule has beside what somebody says of it. */
const NOT_SAID = ["id", "createdAt", "updatedAt", "conditions", "addsToLists"];

/** What differs between a rule and what is to take its place. */
function Differences({ from, to }: { from: BadgeRule | EscalationRule; to: BadgeRule | EscalationRule }) {
  const said = (rule: object) => Object.fromEntries(Object.entries(rule).filter(([name]) => !NOT_SAID.includes(name)));
  const found = differences(said(from), said(to));
  const isOtherwise = JSON.stringify(from.conditions) !== JSON.stringify(to.conditions);
  const addsOthers = JSON.stringify(from.addsToLists) !== JSON.stringify(to.addsToLists);
  if (found.length === 0 && !isOtherwise && !addsOthers) return <Text fz="sm" c="dimmed">It says the same as the rule in force.</Text>;
  return (
    <ul style={{ margin: 0, paddingLeft: "1.25rem", fontSize: "0.875rem" }} aria-label="Differences">
      {isOtherwise && <li>Conditions: <del><ConditionsInWords conditions={from.conditions} /></del> <ins><ConditionsInWords conditions={to.conditions} /></ins></li>}
      {addsOthers && <li>Adds to lists: <del><Additions of={from} /></del> <ins><Additions of={to} /></ins></li>}
      {found.map(({ path, before, after }) => (
        <li key={path} className="break">{pathWords(path)}: {before !== undefined && <del>{valueWords(before)}</del>} {after !== undefined && <ins>{valueWords(after)}</ins>}</li>
      ))}
    </ul>
  );
}

function Additions({ of: { addsToLists } }: { of: BadgeRule | EscalationRule }) {
  return addsToLists.length === 0 ? <>nothing</> : <AdditionsInWords additions={addsToLists} />;
}

export function VersionList<Kind extends RuleKind>({ kind, rule, changed }: Props<Kind>) {
  const versions = useVersions(kind, rule.id);
  const [shown, show] = useState(SHOWN);
  return (
    <Panel title="Versions" note="Each change of the rule is kept, up to a hundred.">
      <Answer of={versions} lines={2}>
        {({ versions: [inForce, ...earlier] }) => (
          <Stack gap="sm">
            {inForce && <Text fz="sm">{told(inForce)}, in force</Text>}
            {earlier.slice(0, shown).map((version) => <Earlier key={version.revision} kind={kind} rule={rule} version={version} {...(changed && { changed })} />)}
            {earlier.length > shown && <Button size="xs" variant="subtle" onClick={() => show(earlier.length)}>{earlier.length - shown} more</Button>}
          </Stack>
        )}
      </Answer>
    </Panel>
  );
}

/** What a rule adds to lists, after its conditions, if it adds something. */
function AndAdds({ rule: { addsToLists } }: { rule: BadgeRule | EscalationRule }) {
  return addsToLists.length > 0 && <>; then <AdditionsInWords additions={addsToLists} /></>;
}

function told({ revision, createdAt, createdBy }: Version<unknown>) {
  return <>Version {revision}, <Time at={createdAt} />{createdBy && `, by ${createdBy}`}</>;
}

function Earlier<Kind extends RuleKind>({ kind, rule, version, changed }: Props<Kind> & { version: Version<RuleOf<Kind>> }) {
  const restore = useRestore(kind, rule.id);
  const { manage } = useMay();
  const revision = version.revision ?? 0;
  return (
    <Stack gap={4} role="group" aria-label={`Version ${revision}`}>
      <Text fz="sm" fw={600}>{told(version)}</Text>
      <Text fz="sm"><ConditionsInWords conditions={version.rule.conditions} /><AndAdds rule={version.rule} />{!version.rule.enabled && " (disabled)"}</Text>
      <Compared kind={kind} id={rule.id} revision={revision} name={`Version ${revision}`} of={rule.updatedAt}>
        {manage && (
          <Confirm action="Restore" question={`Put version ${revision} of “${rule.name}” in force again?`} loading={restore.isPending} onConfirm={() => restore.mutate(revision, changed ? { onSuccess: changed } : {})}>
            <Differences from={rule} to={version.rule} />
            The rule is as it was then, and this is a version of it, too. {reach(version.rule.conditions)}
          </Confirm>
        )}
      </Compared>
    </Stack>
  );
}

interface ComparedProps {
  kind: RuleKind;
  id: number;
  revision?: number;
  /** What stands beside the rule. */
  name: string;
  /** Changes whenever one of the two does. */
  of: string;
}

/** `children` are what else can be done with it. */
function Compared({ children, ...props }: ComparedProps & { children: ReactNode }) {
  const [asked, ask] = useState<string>();
  const isAsked = asked === props.of;
  return (
    <>
      {isAsked && <Asked {...props} />}
      <Group gap="xs">
        {!isAsked && <Button size="xs" variant="default" onClick={() => ask(props.of)}>Compare</Button>}
        {children}
      </Group>
    </>
  );
}

function Asked({ kind, id, revision, name, of }: ComparedProps) {
  const comparison = useComparison(kind, id, revision, of);
  return <Answer of={comparison} lines={5}>{(found) => <Found found={found} name={name} />}</Answer>;
}

function Found({ found, name }: { found: Comparison; name: string }) {
  const { times, values } = useMemo(() => byDay(found.from, found.to, found.rule.days.map(({ date, opened }) => [date, opened])), [found]);
  const series = useMemo(() => {
    const others = byDay(found.from, found.to, found.other.days.map(({ date, opened }) => [date, opened])).values;
    return [{ label: "In force", colour: "var(--calm-mark)", values }, { label: name, colour: "var(--band-1-mark)", values: others }];
  }, [found, name, values]);
  const rows: [string, Comparison["both"]][] = [
    ["In force", found.rule.concerned], [name, found.other.concerned], ["Both", found.both], ["Only in force", found.onlyRule], [`Only ${name.toLowerCase()}`, found.onlyOther],
  ];
  return (
    <Stack gap="sm">
      <LineChart label={`How often each matched on ${counted(times.length, "day")}`} times={times} series={series} height={140} />
      <div className="table-box" data-stacks role="group" aria-label={`In force and ${name.toLowerCase()}`} tabIndex={0}>
        <Table verticalSpacing={4} horizontalSpacing="sm">
          <Table.Thead><Table.Tr><Table.Th>Matches</Table.Th><Table.Th>Identities</Table.Th><Table.Th>Right or wrong</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {rows.map(([title, { identities, tally }]) => (
              <Table.Tr key={title}>
                <Table.Td data-title="Matches">{title}</Table.Td>
                <Table.Td className="numbers" data-title="Identities">{identities.toLocaleString("en")}</Table.Td>
                <Table.Td data-title="Right or wrong"><AccuracyCell tally={tally ?? undefined} /></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {found.onlyRule.sample.length > 0 && <><Text fz="sm" fw={600}>Only in force</Text><Sample label="Only in force" identities={found.onlyRule.sample} /></>}
      {found.onlyOther.sample.length > 0 && <><Text fz="sm" fw={600}>Only {name.toLowerCase()}</Text><Sample label={`Only ${name.toLowerCase()}`} identities={found.onlyOther.sample} /></>}
      <Text c="dimmed" fz="sm">Each by itself, on {counted(found.cycles, "cycle")} of the last 90 days.</Text>
    </Stack>
  );
}

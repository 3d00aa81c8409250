// The conditions of a rule, one a row.

import { ActionIcon, Button, Group, NativeSelect, NumberInput, Select, Slider, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { asksAt, CONDITIONS_MAX, DEPTH_MAX, first, innerOf, isInRange, KINDS, subjectOf, turned, WHICH, type Condition, type Subject } from "./condition";
import { row, type FieldErrors, type Row } from "./draft";
import classes from "./Rules.module.css";
import { AskedEvents, CounterChoice, EventChoice, FactFields } from "./EventFields";
import { useBadges } from "./rules";
import { ConditionsInWords } from "./RuleTable";
import { SecondsInput } from "./SecondsInput";

interface Props {
  rows: Row[];
  /** Whether conditions that only escalation rules have can be chosen. */
  isOfEscalations: boolean;
  /** Whether there may be none. */
  mayBeEmpty?: boolean;
  /** Whether only what counters can ask is offered. */
  isOfCounters?: boolean;
  errors: FieldErrors;
  onChange: (rows: Row[]) => void;
}

/** What can be asked of an event before it is scored. */
const COUNTED: Subject[] = ["event", "value", "number", "values", "text", "pattern", "group", "not"];

/** Which kinds of conditions can be chosen. */
type Kinds = typeof KINDS;

export function ConditionRows({ rows, isOfEscalations, mayBeEmpty, isOfCounters, errors, onChange }: Props) {
  const isOffered = (kind: Kinds[number]) => isOfEscalations || !kind.isOfEscalations;
  const kinds = KINDS.filter((kind) => (isOfCounters ? COUNTED.includes(kind.subject) : isOffered(kind)));
  const replace = (key: string, condition: Condition) => onChange(rows.map((row) => (row.key === key ? { key, condition } : row)));
  return (
    <AskedEvents value={rows.flatMap(({ condition }) => condition.events ?? [])}>
      <Stack gap="sm" className={classes.conditions}>
        {rows.map(({ key, condition }, n) => (
          <ConditionFields
            key={key}
            name={`Condition ${n + 1}`}
            place={`conditions[${n}]`}
            depth={1}
            kinds={kinds}
            condition={condition}
            errors={errors}
            onChange={(condition) => replace(key, condition)}
            onRemove={rows.length === 1 && !mayBeEmpty ? undefined : () => onChange(rows.filter((row) => row.key !== key))}
          />
        ))}
        <Wrong message={errors.conditions} />
        <Group gap="sm">
          <AddCondition isFull={rows.length >= CONDITIONS_MAX} onAdd={() => onChange([...rows, row(first(kinds))])} />
          {rows.length > 0 && <Text c="dimmed" fz="sm">{noteOf(rows)}</Text>}
        </Group>
        {rows.length > 1 && <Text c="dimmed" fz="sm">Reads: <ConditionsInWords conditions={rows.map(({ condition }) => condition)} /></Text>}
      </Stack>
    </AskedEvents>
  );
}

/** What is to be known of conditions like these. */
function noteOf(rows: Row[]): string {
  const events = asksAt(rows.map(({ condition }) => condition)).join(" or ");
  if (events) return `All conditions must hold. Evaluated at each ${events}; the result stays until the next.`;
  return "All conditions must hold. A category without a score, or a fact without a value, never matches.";
}

function AddCondition({ isFull, onAdd }: { isFull: boolean; onAdd: () => void }) {
  return <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} disabled={isFull} onClick={onAdd}>Add a condition</Button>;
}

interface ConditionProps {
  name: string;
  /** Its path in the rule, as errors name it. */
  place: string;
  depth: number;
  kinds: Kinds;
  condition: Condition;
  errors: FieldErrors;
  onChange: (condition: Condition) => void;
  onRemove: (() => void) | undefined;
}

/** A condition, and those that stand in it. */
function ConditionFields({ name, place, depth, kinds, condition, errors, onChange, onRemove }: ConditionProps) {
  const inner = innerOf(condition);
  // What holds others may stand as deep as there is room for those; ages stand beside, not inside.
  const isFitting = (subject: string) => (depth < DEPTH_MAX || (subject !== "group" && subject !== "not")) && (depth === 1 || subject !== "age");
  const isLeaf = inner.length === 0;
  const messages = isLeaf ? errorsOf(errors, place) : [errors[place]];
  if (!isInRange(condition) && messages.length === 0) messages.push("Must be from 0 to 100.");
  const isWrong = (parameter: string) => errorsOf(errors, `${place}.${parameter}`).length > 0;
  return (
    <div role="group" aria-label={name}>
      <div className={classes.condition}>
        <NativeSelect
          aria-label="Type of condition"
          className={classes.kind}
          data={kinds.filter(({ subject }) => isFitting(subject)).map(({ type, label }) => ({ value: type, label }))}
          value={condition.type}
          onChange={(event) => onChange(turned(condition, event.currentTarget.value, kinds))}
        />
        {isLeaf ? <Parameters condition={condition} isWrong={isWrong} onChange={(part) => onChange({ ...condition, ...part })} /> : <span className={classes.parameters} />}
        <ActionIcon
          className={classes.remove}
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={`Remove ${name.toLowerCase()}`}
          disabled={!onRemove}
          onClick={onRemove}
        >
          <IconTrash size={16} />
        </ActionIcon>
      </div>
      {messages.map((message, n) => <Wrong key={n} message={message} />)}
      {!isLeaf && <Inner {...{ name, place, depth, kinds, condition, errors, onChange }} />}
    </div>
  );
}

function Inner({ name, place, depth, kinds, condition, errors, onChange }: Omit<ConditionProps, "onRemove">) {
  const { type, conditions, condition: only } = condition;
  const fields = (inner: Condition, place: string, n: number, onChange: (inner: Condition) => void, onRemove?: () => void) => (
    <ConditionFields key={n} name={`${name}.${n + 1}`} {...{ place, kinds, errors, onChange, onRemove }} depth={depth + 1} condition={inner} />
  );
  if (only) return <div className={classes.inner}>{fields(only, `${place}.condition`, 0, (condition) => onChange({ type, condition }))}</div>;
  const all = conditions ?? [];
  const remove = (n: number) => (all.length === 1 ? undefined : () => onChange({ type, conditions: all.filter((_, at) => at !== n) }));
  return (
    <Stack gap="xs" className={classes.inner}>
      {all.map((inner, n) => fields(inner, `${place}.conditions[${n}]`, n, (next) => onChange({ type, conditions: all.with(n, next) }), remove(n)))}
      <div><AddCondition isFull={all.length >= CONDITIONS_MAX} onAdd={() => onChange({ type, conditions: [...all, first(kinds)] })} /></div>
    </Stack>
  );
}

/** All that is said of a condition, or of a parameter, and of its parts. */
function errorsOf(errors: FieldErrors, path: string): ReactNode[] {
  return Object.entries(errors).filter(([field]) => field === path || [".", "["].some((step) => field.startsWith(path + step))).map(([, message]) => message);
}

function Wrong({ message }: { message: ReactNode }) {
  return message && <Text c="red" fz="sm" role="alert">{message}</Text>;
}

export interface ParametersProps {
  condition: Condition;
  /** Whether a parameter is to be mended. */
  isWrong: (parameter: string) => boolean;
  onChange: (part: Partial<Condition>) => void;
}

/** What a condition of its type has to be told. */
function Parameters(props: ParametersProps) {
  const { condition, isWrong, onChange } = props;
  switch (subjectOf(condition.type)) {
    case "score":
      return <Threshold {...props} />;
    case "age":
      return (
        <div className={classes.parameters}>
          <SecondsInput label="How long" isLabelSeen={false} value={condition.seconds ?? 0} error={isWrong("seconds")} onChange={(seconds, isEmpty) => onChange({ seconds: isEmpty ? undefined : seconds })} />
        </div>
      );
    case "agent":
      return <AgentChoice {...props} />;
    case "event":
      return <EventChoice {...props} />;
    case "value":
    case "number":
    case "values":
    case "text":
    case "pattern":
    case "list":
      return <FactFields {...props} />;
    case "counter":
      return <CounterChoice {...props} />;
    default:
      return <BadgeChoice slug={condition.badge ?? ""} isWrong={isWrong("badge")} onChange={(badge) => onChange({ badge })} />;
  }
}

function Threshold({ condition, isWrong, onChange }: ParametersProps) {
  return (
    <div className={classes.score}>
      <NativeSelect
        aria-label="Category"
        data={WHICH}
        value={condition.category ?? "HUMANITY"}
        onChange={(event) => onChange({ category: event.currentTarget.value })}
      />
      <Slider
        mx={8}
        label={null}
        thumbLabel="Threshold"
        min={0}
        max={100}
        value={condition.threshold ?? 0}
        onChange={(threshold) => onChange({ threshold })}
      />
      <NumberInput
        aria-label="Threshold"
        min={0}
        max={100}
        clampBehavior="none"
        allowDecimal={false}
        error={!isInRange(condition) || isWrong("threshold")}
        value={condition.threshold ?? ""}
        onChange={(next) => onChange({ threshold: next === "" ? null : Number(next) })}
      />
    </div>
  );
}

/** Whether the signature of an agent has to be verified. */
const VERIFIED = [
  { value: "", label: "Verified or not" },
  { value: "true", label: "Verified" },
  { value: "false", label: "Not verified" },
];

function AgentChoice({ condition: { agent, verified }, isWrong, onChange }: ParametersProps) {
  return (
    <Group className={classes.parameters} gap="xs" wrap="nowrap">
      <TextInput
        aria-label="Agent"
        placeholder="ANY, ChatGPT-User, OpenAI"
        error={isWrong("agent")}
        value={agent ?? ""}
        onChange={(event) => onChange({ agent: event.currentTarget.value })}
      />
      <NativeSelect
        aria-label="Signature"
        data={VERIFIED}
        value={verified == null ? "" : String(verified)}
        onChange={({ currentTarget: { value } }) => onChange({ verified: value === "" ? undefined : value === "true" })}
      />
    </Group>
  );
}

function BadgeChoice({ slug, isWrong, onChange }: { slug: string; isWrong: boolean; onChange: (slug: string) => void }) {
  const badges = useBadges();
  // Of a rule that is older than the removal of its badge.
  const isGone = slug !== "" && badges.every(({ value }) => value !== slug);
  return (
    <Select
      className={classes.parameters}
      aria-label="Badge"
      placeholder="Choose a badge"
      error={isWrong}
      searchable
      nothingFoundMessage="No matching badge"
      data={isGone ? [...badges, { value: slug, label: `${slug} (no longer exists)` }] : badges}
      value={slug || null}
      onChange={(next) => onChange(next ?? "")}
    />
  );
}

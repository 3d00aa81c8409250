// The conditions of a rule, one a row.

import { ActionIcon, Button, Group, NativeSelect, NumberInput, Select, Slider, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { CONDITIONS_MAX, isInRange, KINDS, subjectOf, turned, WHICH, type Condition } from "./condition";
import { row, type FieldErrors, type Row } from "./draft";
import classes from "./Rules.module.css";
import { useBadges } from "./rules";
import { SecondsInput } from "./SecondsInput";

interface Props {
  rows: Row[];
  /** Whether conditions that only escalation rules have can be chosen. */
  isOfEscalations: boolean;
  /** Whether there may be none. */
  mayBeEmpty?: boolean;
  errors: FieldErrors;
  onChange: (rows: Row[]) => void;
}

export function ConditionRows({ rows, isOfEscalations, mayBeEmpty, errors, onChange }: Props) {
  const kinds = KINDS.filter((kind) => isOfEscalations || !kind.isOfEscalations);
  const replace = (key: string, condition: Condition) => onChange(rows.map((row) => (row.key === key ? { key, condition } : row)));
  return (
    <Stack gap="sm" className={classes.conditions}>
      {rows.map(({ key, condition }, n) => (
        <div key={key} role="group" aria-label={`Condition ${n + 1}`}>
          <div className={classes.condition}>
            <NativeSelect
              aria-label="Type of condition"
              className={classes.kind}
              data={kinds.map(({ type, label }) => ({ value: type, label }))}
              value={condition.type}
              onChange={(event) => replace(key, turned(condition, event.currentTarget.value))}
            />
            <Parameters condition={condition} onChange={(part) => replace(key, { ...condition, ...part })} />
            <ActionIcon
              className={classes.remove}
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={`Remove condition ${n + 1}`}
              disabled={rows.length === 1 && !mayBeEmpty}
              onClick={() => onChange(rows.filter((row) => row.key !== key))}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </div>
          <Wrong message={errorOf(errors, `conditions[${n}]`) ?? (isInRange(condition) ? undefined : "Must be from 0 to 100.")} />
        </div>
      ))}
      <Wrong message={errors.conditions} />
      <Group gap="sm">
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          disabled={rows.length >= CONDITIONS_MAX}
          onClick={() => onChange([...rows, row(turned({ type: "" }, "SCORE_LT"))])}
        >
          Add a condition
        </Button>
        {rows.length > 0 && <Text c="dimmed" fz="sm">All conditions must hold. A category without a score never matches.</Text>}
      </Group>
    </Stack>
  );
}

/** Of a condition, or of a part of it. */
function errorOf(errors: FieldErrors, path: string): ReactNode {
  return errors[path] ?? Object.entries(errors).find(([field]) => field.startsWith(`${path}.`))?.[1];
}

function Wrong({ message }: { message: ReactNode }) {
  return message && <Text c="red" fz="sm" role="alert">{message}</Text>;
}

interface ParametersProps {
  condition: Condition;
  onChange: (part: Partial<Condition>) => void;
}

/** What a condition of its type asks for. */
function Parameters({ condition, onChange }: ParametersProps) {
  switch (subjectOf(condition.type)) {
    case "score":
      return <Threshold condition={condition} onChange={onChange} />;
    case "age":
      return (
        <div className={classes.parameters}>
          <SecondsInput label="How long" isLabelSeen={false} value={condition.seconds ?? 0} onChange={(seconds) => onChange({ seconds })} />
        </div>
      );
    case "agent":
      return <AgentChoice condition={condition} onChange={onChange} />;
    default:
      return <BadgeChoice slug={condition.badge ?? ""} onChange={(badge) => onChange({ badge })} />;
  }
}

function Threshold({ condition, onChange }: ParametersProps) {
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
        error={!isInRange(condition)}
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

function AgentChoice({ condition: { agent, verified }, onChange }: ParametersProps) {
  return (
    <Group className={classes.parameters} gap="xs" wrap="nowrap">
      <TextInput
        aria-label="Agent"
        placeholder="ANY, ChatGPT-User, OpenAI"
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

function BadgeChoice({ slug, onChange }: { slug: string; onChange: (slug: string) => void }) {
  const badges = useBadges();
  // Of a rule that is older than the removal of its badge.
  const isGone = slug !== "" && badges.every(({ value }) => value !== slug);
  return (
    <Select
      className={classes.parameters}
      aria-label="Badge"
      placeholder="Choose a badge"
      searchable
      nothingFoundMessage="No matching badge"
      data={isGone ? [...badges, { value: slug, label: `${slug} (no longer exists)` }] : badges}
      value={slug || null}
      onChange={(next) => onChange(next ?? "")}
    />
  );
}

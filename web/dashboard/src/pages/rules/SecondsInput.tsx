// A length of time, as people say it: an amount and a unit.

import { Group, Input, NativeSelect, NumberInput } from "@mantine/core";
import { useId, useState, type ReactNode } from "react";

const UNITS = [
  { value: "1", label: "seconds" },
  { value: "60", label: "minutes" },
  { value: "3600", label: "hours" },
  { value: "86400", label: "days" },
];
/** The longest that the API takes. */
const SECONDS_MAX = 316_224_000;
export const MINUTE = 60;
export const DAY = 86_400;

/** The longest unit that counts `seconds` without a rest. */
function unitOf(seconds: number): number {
  if (seconds === 0) return MINUTE;
  return UNITS.map(({ value }) => Number(value)).filter((unit) => seconds % unit === 0).pop() ?? 1;
}

/** What is wrong with a length, in the unit in which it is written; nothing where it is from `min` to `max` seconds. */
function outside(seconds: number, unit: number, min: number, max: number): string | undefined {
  if (seconds >= min && seconds <= max) return undefined;
  const name = UNITS.find(({ value }) => Number(value) === unit)?.label ?? "";
  const most = `${Math.floor(max / unit).toLocaleString("en")} ${name}`;
  if (seconds < 0 && min === 0) return `Must be from 0 to ${most}.`;
  return min > 0 ? `Must be from ${Math.ceil(min / unit).toLocaleString("en")} to ${most}.` : `Must be at most ${most}.`;
}

interface Props {
  label: string;
  /** Whether the label is seen, or only read out. */
  isLabelSeen?: boolean;
  value: number;
  /** Empty is 0. */
  onChange: (seconds: number, isEmpty: boolean) => void;
  placeholder?: string;
  error?: ReactNode;
  /** In seconds; units that are shorter are not offered. */
  min?: number;
  max?: number;
}

/** A 0 that is written stays, and is judged as any other number. */
export function SecondsInput({ label, isLabelSeen = true, value, onChange, placeholder = "0", error, min = 0, max = SECONDS_MAX }: Props) {
  const id = useId();
  const [unit, setUnit] = useState(() => unitOf(value));
  const [isZero, setIsZero] = useState(false);
  const amount = value / unit;
  const isEmpty = value === 0 && !isZero;
  // One that is empty is yet to be written: that is said where it is sent.
  const wrong = isEmpty && !error ? undefined : outside(value, unit, min, max);
  const turn = (next: number) => {
    setUnit(next);
    onChange(amount * next, isEmpty);
  };
  const write = (next: number | string) => {
    const isWritten = next !== "";
    setIsZero(isWritten && Number(next) === 0);
    onChange(Number(next) * unit, !isWritten);
  };
  return (
    <Input.Wrapper id={id} label={isLabelSeen && label} error={wrong ?? error}>
      <Group gap={4} wrap="nowrap">
        <NumberInput
          id={id}
          aria-label={isLabelSeen ? undefined : label}
          placeholder={placeholder}
          value={isEmpty ? "" : amount}
          // Nothing is put right unseen.
          clampBehavior="none"
          error={Boolean(wrong ?? error)}
          allowDecimal={false}
          onChange={write}
          w={104}
        />
        <NativeSelect aria-label={`${label}: unit`} data={UNITS.filter(({ value }) => Number(value) >= min || Number(value) === unit)} value={String(unit)} onChange={(event) => turn(Number(event.currentTarget.value))} />
      </Group>
    </Input.Wrapper>
  );
}

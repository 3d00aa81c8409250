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
const MINUTE = 60;

/** The longest unit that counts `seconds` without a rest. */
function unitOf(seconds: number): number {
  if (seconds === 0) return MINUTE;
  return UNITS.map(({ value }) => Number(value)).filter((unit) => seconds % unit === 0).pop() ?? 1;
}

interface Props {
  label: string;
  /** Whether the label is seen, or only read out. */
  isLabelSeen?: boolean;
  value: number;
  onChange: (seconds: number) => void;
  placeholder?: string;
  error?: ReactNode;
}

/** Empty is 0. */
export function SecondsInput({ label, isLabelSeen = true, value, onChange, placeholder = "0", error }: Props) {
  const id = useId();
  const [unit, setUnit] = useState(() => unitOf(value));
  const amount = value / unit;
  const turn = (next: number) => {
    setUnit(next);
    onChange(amount * next);
  };
  return (
    <Input.Wrapper id={id} label={isLabelSeen && label} error={error}>
      <Group gap={4} wrap="nowrap">
        <NumberInput
          id={id}
          aria-label={isLabelSeen ? undefined : label}
          placeholder={placeholder}
          value={value === 0 ? "" : amount}
          min={0}
          max={Math.floor(SECONDS_MAX / unit)}
          allowNegative={false}
          allowDecimal={false}
          onChange={(next) => onChange(Number(next) * unit)}
          w={104}
        />
        <NativeSelect aria-label={`${label}: unit`} data={UNITS} value={String(unit)} onChange={(event) => turn(Number(event.currentTarget.value))} />
      </Group>
    </Input.Wrapper>
  );
}

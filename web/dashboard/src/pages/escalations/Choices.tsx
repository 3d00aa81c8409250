// One of a few, in a row, each with its key.

import { Group, Kbd, Radio } from "@mantine/core";
import classes from "./EscalationQueue.module.css";

interface Choosable {
  name: string;
  label: string;
  value: string;
  options: { value: string; label: string; key?: string }[];
  onChange: (value: string) => void;
  /** Where the focus is when the dialog opens: at what is chosen, or at the first of them. */
  isFirst?: boolean;
}

export function Choices({ name, label, value, options, onChange, isFirst = false }: Choosable) {
  return (
    <Radio.Group name={name} label={label} value={value} onChange={onChange}>
      <Group gap="md" mt={6} data-choices={name}>
        {options.map((one, place) => (
          <Radio
            key={one.value}
            value={one.value}
            label={<>{one.label} {one.key && <Kbd size="xs" className={classes.key}>{one.key}</Kbd>}</>}
            classNames={{ body: classes.choice }}
            data-autofocus={(isFirst && (value === "" ? place === 0 : one.value === value)) || undefined}
          />
        ))}
      </Group>
    </Radio.Group>
  );
}

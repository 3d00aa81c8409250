// Text to take along.

import { ActionIcon, Alert, Button, CopyButton, Group, Stack, Text, Tooltip } from "@mantine/core";
import { visible } from "../app/visible";
import { IconAlertTriangle, IconCheck, IconCopy } from "@tabler/icons-react";

/** A button that copies `text`; `label` says what it is. */
export function Copy({ text, label, isWide = false }: { text: string; label: string; isWide?: boolean }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => {
        const Icon = copied ? IconCheck : IconCopy;
        const words = copied ? "Copied" : `Copy ${label}`;
        if (isWide) return <Button size="xs" variant="default" flex="none" leftSection={<Icon size={14} />} onClick={copy}>{words}</Button>;
        return (
          <Tooltip label={words}>
            <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Copy ${label}`} onClick={copy}><Icon size={14} /></ActionIcon>
          </Tooltip>
        );
      }}
    </CopyButton>
  );
}

/** A value that is shown this one time. */
export function Secret({ value, label, use }: { value: string; label: string; use: string }) {
  return (
    <Alert color="orange" icon={<IconAlertTriangle />} title={`Copy the ${label} now: it is not shown again`}>
      <Stack gap="xs">
        <Text fz="sm">{use}</Text>
        <Group gap="xs">
          <code className="mono break" data-secret style={{ flex: "1 1 14rem", minWidth: 0 }}>{value}</code>
          <Copy text={value} label={label} isWide />
        </Group>
      </Stack>
    </Alert>
  );
}

/** Text of several lines, such as a body or a command, with a button that copies it. */
export function Source({ text, label }: { text: string; label: string }) {
  return (
    <div style={{ position: "relative" }}>
      <pre className="source" tabIndex={0} aria-label={label}>{visible(text)}</pre>
      <span style={{ position: "absolute", top: 6, right: 6 }}><Copy text={text} label={label} /></span>
    </div>
  );
}

/** A value as JSON of several lines; text that is JSON is laid out, other text stays as it is. */
export function pretty(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

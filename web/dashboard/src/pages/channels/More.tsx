// What most webhooks leave as it is.

import { ActionIcon, Button, Group, NativeSelect, NumberInput, Stack, Switch, Text, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { $api } from "../../api";
import type { Form } from "./ChannelForm";

export function More({ form }: { form: Form }) {
  const system = $api.useQuery("get", "/api/system");
  return (
    <details>
      <summary>Advanced</summary>
      <Stack mt="sm">
        <Headers form={form} />
        <Group grow align="flex-start">
          <NumberInput
            label="Timeout (ms)" description="Per attempt, 100 to 30000." placeholder={system.data ? `server default (${system.data.defaults.timeoutMs})` : "server default"}
            min={100} max={30_000} allowDecimal={false} {...form.getInputProps("timeoutMs")}
          />
          <NumberInput
            label="Concurrent requests" description="1 to 256." placeholder="32"
            min={1} max={256} allowDecimal={false} {...form.getInputProps("maxConcurrency")}
          />
          <NumberInput
            label="Requests per second" description="1 to 10000." placeholder="unlimited"
            min={1} max={10_000} allowDecimal={false} {...form.getInputProps("ratePerSecond")}
          />
        </Group>
        <NativeSelect
          label="Payload"
          description="Ids only: the receiver reads the rest from the API."
          data={[{ value: "FULL", label: "Full" }, { value: "THIN", label: "Ids only" }]}
          {...form.getInputProps("payload")}
        />
        <Switch
          label="Ordered delivery"
          description="Events of an identity are delivered one after the other."
          {...form.getInputProps("ordered", { type: "checkbox" })}
        />
        <Switch
          label="Coalesce scores"
          description="A newer score replaces pending ones of the same identity."
          {...form.getInputProps("coalesce", { type: "checkbox" })}
        />
      </Stack>
    </details>
  );
}

/** Headers to send besides ours. */
function Headers({ form }: { form: Form }) {
  return (
    <Stack gap="xs" role="group" aria-label="Headers">
      <div>
        <Text fw={500} fz="sm">Headers</Text>
        <Text c="dimmed" fz="xs">Additional headers. Values are shown masked; a masked value is left unchanged.</Text>
      </div>
      {form.errors.headers && <Text c="red" fz="xs" role="alert">{form.errors.headers}</Text>}
      {form.values.headers.map((_, index) => (
        <Group key={index} gap="xs" wrap="nowrap">
          <TextInput flex={1} aria-label="Header" placeholder="X-Api-Key" {...form.getInputProps(`headers.${index}.name`)} />
          <TextInput flex={2} aria-label="Value" placeholder="Value" {...form.getInputProps(`headers.${index}.value`)} />
          <ActionIcon variant="subtle" color="gray" aria-label="Remove this header" onClick={() => form.removeListItem("headers", index)}>
            <IconX size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Button
        size="xs" variant="default" leftSection={<IconPlus size={14} />} style={{ alignSelf: "flex-start" }}
        onClick={() => form.insertListItem("headers", { name: "", value: "" })}
      >
        Add a header
      </Button>
    </Stack>
  );
}

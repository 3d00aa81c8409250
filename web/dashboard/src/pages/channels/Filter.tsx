// What a channel sends of what it is subscribed to.

import { NativeSelect, NumberInput, SimpleGrid, Stack, Text } from "@mantine/core";
import type { FieldErrors, Row } from "../rules/draft";
import { inWords, WHICH } from "../rules/condition";
import { ConditionRows } from "../rules/ConditionRows";
import { useNames } from "../rules/rules";
import type { Form } from "./ChannelForm";
import { filterInWords, filterOf, SCORED, type Channel } from "./config";

const WHEN = [
  { value: "ALWAYS", label: "Every score" },
  { value: "CHANGED", label: "When a score has moved" },
  { value: "CROSSED", label: "When a score crosses a threshold" },
];

export function Filter({ form }: { form: Form }) {
  const { conditions, events, when } = form.values;
  const names = useNames();
  const words = filterInWords(filterOf(form.values), (condition) => inWords(condition, names));
  const errors = Object.fromEntries(Object.entries(form.errors).filter(([field]) => field.startsWith("conditions"))) as FieldErrors;
  const change = (rows: Row[]) => {
    form.setFieldValue("conditions", rows);
    form.setErrors((all) => Object.fromEntries(Object.entries(all).filter(([field]) => !field.startsWith("conditions"))));
  };
  return (
    <details open={words !== "" || undefined}>
      <summary>What is sent</summary>
      <Stack mt="sm">
        {events.includes(SCORED) && (
          <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
            <NativeSelect label="Scores" data={WHEN} {...form.getInputProps("when")} />
            {when !== "ALWAYS" && <NativeSelect label="Category" data={WHICH} {...form.getInputProps("category")} />}
            {when === "CHANGED" && <NumberInput label="By at least" min={1} max={100} allowDecimal={false} {...form.getInputProps("by")} />}
            {when === "CROSSED" && <NumberInput label="Threshold" min={1} max={100} allowDecimal={false} {...form.getInputProps("threshold")} />}
          </SimpleGrid>
        )}
        <Stack gap="xs" role="group" aria-label="Only for identities">
          <div>
            <Text fw={500} fz="sm">Only for identities</Text>
            <Text c="dimmed" fz="xs">Without a condition, for all. Tests and events about rules and channels are always sent.</Text>
          </div>
          <ConditionRows rows={conditions} isOfEscalations mayBeEmpty errors={errors} onChange={change} />
        </Stack>
        {words && <Text fz="sm" role="status">{words} The rest is left out and counted.</Text>}
      </Stack>
    </details>
  );
}

/** The same of a channel that is there. */
export function FilterInWords({ channel }: { channel: Channel }) {
  const names = useNames();
  return <>{filterInWords(channel, (condition) => inWords(condition, names)) || "everything it is subscribed to"}</>;
}

// The fields of an escalation rule, but for its conditions.

import { Group, MultiSelect, NativeSelect, SimpleGrid, TextInput } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { toLocal, toUtc } from "../../parts/TimeFilter";
import type { Draft, Row } from "./draft";
import { SecondsInput } from "./SecondsInput";

export type EscalationValues = Required<Omit<Schemas["NewEscalationRuleBody"], "conditions">> & { conditions: Row[] };

interface Props {
  draft: Draft<EscalationValues>;
}

const SEVERITIES = [
  { value: "INFO", label: "Info" },
  { value: "WARNING", label: "Warning" },
  { value: "CRITICAL", label: "Critical" },
];

export function EscalationFields({ draft: { values, errors, put } }: Props) {
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label="Name"
          required
          maxLength={100}
          value={values.name}
          onChange={(event) => put({ name: event.currentTarget.value })}
          error={errors.name}
        />
        <NativeSelect
          label="Severity"
          data={SEVERITIES}
          value={values.severity}
          onChange={(event) => put({ severity: event.currentTarget.value })}
          error={errors.severity}
        />
      </SimpleGrid>
      <MultiSelect
        label="Channels to notify"
        description="Without a channel the escalation appears in the queue only."
        placeholder={values.channels.length === 0 ? "None" : undefined}
        data={useChannelChoices(values.channels)}
        searchable
        clearable
        value={values.channels}
        onChange={(channels) => put({ channels })}
        error={errors.channels}
      />
    </>
  );
}

/** Every channel, those that may not be chosen greyed out, and what is chosen although it is gone. */
function useChannelChoices(chosen: string[]) {
  const { data = [] } = $api.useQuery("get", "/api/channels");
  const choices = data.map(({ slug, name, events }) => {
    const isTold = events.includes("ESCALATION_OPENED");
    return { value: slug, label: isTold ? name : `${name} (not subscribed to escalation.opened)`, disabled: !isTold && !chosen.includes(slug) };
  });
  const gone = chosen.filter((slug) => data.every((channel) => channel.slug !== slug));
  return [...choices, ...gone.map((slug) => ({ value: slug, label: `${slug} (deleted)` }))];
}

export function EscalationDelays({ draft: { values, errors, put } }: Props) {
  return (
    <Group gap="lg" align="flex-start">
      <SecondsInput
        label="Open after"
        placeholder="at once"
        value={values.openAfterSeconds}
        onChange={(openAfterSeconds) => put({ openAfterSeconds })}
        error={errors.openAfterSeconds}
      />
      <SecondsInput
        label="Close after"
        placeholder="at once"
        value={values.closeAfterSeconds}
        onChange={(closeAfterSeconds) => put({ closeAfterSeconds })}
        error={errors.closeAfterSeconds}
      />
      <TextInput
        type="datetime-local"
        label="Effective from"
        value={localTime(values.effectiveAt)}
        onChange={(event) => put({ effectiveAt: instant(event.currentTarget.value) })}
        error={errors.effectiveAt}
      />
    </Group>
  );
}

/** An instant as the input shows it: in the preferred zone, to the minute. */
function localTime(at: string | null): string {
  return toLocal(at ?? undefined).slice(0, 16);
}

function instant(local: string): string | null {
  return toUtc(local) ?? null;
}

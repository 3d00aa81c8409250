// A counter, new or changed: what it counts, by what, over which events, and how far back.

import { Autocomplete, Button, Group, Modal, NativeSelect, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { $api, refresh, type Schemas } from "../../api";
import { Failure } from "../../parts/Answer";
import { ConditionRows } from "../rules/ConditionRows";
import { row, useDraft, type Row } from "../rules/draft";
import { useFacts } from "../rules/rules";
import { DAY, MINUTE, SecondsInput } from "../rules/SecondsInput";

type Counter = Schemas["CounterBody"];

const HOUR_SECONDS = 3_600;
/** The shortest and the longest window, as the server has them. */
const WINDOW_MIN_SECONDS = MINUTE;
const WINDOW_MAX_SECONDS = 30 * DAY;
const FUNCTIONS = [
  { value: "COUNT", label: "Number of events" },
  { value: "DISTINCT", label: "Different values of" },
  { value: "SUM", label: "Sum of" },
  { value: "MIN", label: "Least of" },
  { value: "MAX", label: "Greatest of" },
];

interface Values {
  name: string;
  function: string;
  of: string;
  per: string;
  windowSeconds: number;
  conditions: Row[];
}

export function NewCounter() {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={open}>New counter…</Button>
      <Modal opened={isOpen} onClose={close} title="New counter" size="lg"><Form close={close} /></Modal>
    </>
  );
}

export function EditCounter({ counter }: { counter: Counter }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="subtle" onClick={open}>Edit…</Button>
      <Modal opened={isOpen} onClose={close} title={`Edit ${counter.name}`} size="lg"><Form counter={counter} close={close} /></Modal>
    </>
  );
}

function valuesOf(counter: Counter | undefined): Values {
  if (!counter) return { name: "", function: "COUNT", of: "", per: "identity.id", windowSeconds: HOUR_SECONDS, conditions: [] };
  const { name, of, per, windowSeconds, conditions } = counter;
  return { name, function: counter.function, of: of ?? "", per, windowSeconds, conditions: conditions.map(row) };
}

function Form({ counter, close }: { counter?: Counter; close: () => void }) {
  const draft = useDraft(() => valuesOf(counter));
  const { values, put, errors } = draft;
  const facts = useFacts().filter(({ ofEvent }) => ofEvent).map(({ name }) => name);
  const done = {
    onError: draft.refuse,
    onSuccess: async () => {
      close();
      await refresh("/api/counters");
    },
  };
  const create = $api.useMutation("post", "/api/counters", done);
  const change = $api.useMutation("patch", "/api/counters/{id}", done);
  const isOfFact = values.function !== "COUNT";
  const save = () => {
    const isOutside = values.windowSeconds < WINDOW_MIN_SECONDS || values.windowSeconds > WINDOW_MAX_SECONDS;
    const isUnnamed = values.name.trim() === "";
    // The field says it in its own unit.
    if (isUnnamed || isOutside) return draft.complain({ ...(isUnnamed && { name: "Enter a name." }), ...(isOutside && { windowSeconds: "Enter a length." }) });
    const { of, conditions, ...rest } = values;
    const body = { ...rest, of: isOfFact ? of : null, conditions: conditions.map(({ condition }) => condition) };
    if (counter) change.mutate({ params: { path: { id: counter.id } }, body });
    else create.mutate({ body });
  };
  return (
    <Stack>
      <TextInput label="Name" required maxLength={100} data-autofocus error={errors.name} value={values.name} onChange={(event) => put({ name: event.currentTarget.value })} />
      <Group grow align="start">
        <NativeSelect label="Counts" data={FUNCTIONS} value={values.function} error={errors.function} onChange={(event) => put({ function: event.currentTarget.value })} />
        {isOfFact && <Autocomplete label="Fact" placeholder="identity.id" data={facts} error={errors.of} value={values.of} onChange={(of) => put({ of })} />}
      </Group>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <Autocomplete label="For each" placeholder="device" data={facts} error={errors.per} value={values.per} onChange={(per) => put({ per })} />
        <SecondsInput label="Within" value={values.windowSeconds} error={errors.windowSeconds} min={WINDOW_MIN_SECONDS} max={WINDOW_MAX_SECONDS} onChange={(windowSeconds) => put({ windowSeconds })} />
      </SimpleGrid>
      <div>
        <Text fz="sm" fw={500} mb={4}>Of events that meet</Text>
        <ConditionRows rows={values.conditions} isOfEscalations={false} isOfCounters mayBeEmpty errors={errors} onChange={(conditions) => put({ conditions })} />
      </div>
      {counter && <Text c="dimmed" fz="sm">Rules still call it {counter.slug}. Where it counts something else, the past is counted again.</Text>}
      {errors[""] && <Failure error={create.error ?? change.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close}>Cancel</Button>
        <Button loading={create.isPending || change.isPending} onClick={save}>{counter ? "Save" : "Create"}</Button>
      </Group>
    </Stack>
  );
}

// A counter, new or changed: what it counts, by what, over which events, and how far back.

import { Autocomplete, Button, Group, Modal, NativeSelect, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { $api, refresh, type Schemas } from "../../api";
import { Failure } from "../../parts/Answer";
import { ConditionRows } from "../rules/ConditionRows";
import { numberOf } from "../rules/condition";
import { row, useDraft, type Row } from "../rules/draft";
import { useFacts } from "../rules/rules";
import { SecondsInput } from "../rules/SecondsInput";
import { isOfNumbers, WINDOW_MAX_SECONDS, WINDOW_MIN_SECONDS, wrongDefinition } from "./definition";
import { ValuesNow } from "./ValuesNow";

type Counter = Schemas["CounterBody"];

const HOUR_SECONDS = 3_600;
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

/** Whether it has had numbers, so that it can be summed up: a number that names something cannot. */
function isNumber({ name, values }: Schemas["FactBody"]): boolean {
  const isAmount = /^(event|identity)\.data\.|Seconds$/.test(name);
  return isAmount && (values.length > 0 ? values.every((value) => numberOf(value) !== undefined) : name.endsWith("Seconds"));
}

function Form({ counter, close }: { counter?: Counter; close: () => void }) {
  const draft = useDraft(() => valuesOf(counter));
  const { values, put, errors } = draft;
  const known = useFacts().filter(({ ofEvent }) => ofEvent);
  const facts = known.map(({ name }) => name);
  const numbers = known.filter(isNumber).map(({ name }) => name);
  const done = {
    onError: draft.refuse,
    onSuccess: async () => {
      close();
      await refresh("/api/counters");
    },
  };
  const create = $api.useMutation("post", "/api/counters", done);
  const change = $api.useMutation("patch", "/api/counters/{id}", done);
  const { name, of, conditions: rows, ...rest } = values;
  const isOfFact = values.function !== "COUNT";
  const definition = { ...rest, of: isOfFact ? of : null, conditions: rows.map(({ condition }) => condition) };
  const wrong = { ...(name.trim() === "" && { name: "Enter a name." }), ...wrongDefinition(definition) };
  // What only the server can tell is said beside what is known here.
  const check = $api.useMutation("post", "/api/counters/actions/preview", { onError: (error) => draft.refuseBeside(wrong, error) });
  const save = () => {
    if (Object.keys(wrong).length > 0) {
      draft.complain(wrong);
      return check.mutate({ body: definition });
    }
    const body = { ...definition, name };
    if (counter) change.mutate({ params: { path: { id: counter.id } }, body });
    else create.mutate({ body });
  };
  return (
    <Stack>
      <TextInput label="Name" required maxLength={100} data-autofocus error={errors.name} value={values.name} onChange={(event) => put({ name: event.currentTarget.value })} />
      <Group grow align="start">
        <NativeSelect label="Counts" data={FUNCTIONS} value={values.function} error={errors.function} onChange={(event) => put({ function: event.currentTarget.value })} />
        {isOfFact && <Autocomplete label="Fact" placeholder={isOfNumbers(values.function) ? "event.data.amount" : "identity.id"} data={isOfNumbers(values.function) ? numbers : facts} error={errors.of} value={values.of} onChange={(of) => put({ of })} />}
      </Group>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <Autocomplete label="For each" placeholder="device" data={facts} error={errors.per} value={values.per} onChange={(per) => put({ per })} />
        <SecondsInput label="Within" value={values.windowSeconds} error={errors.windowSeconds} min={WINDOW_MIN_SECONDS} max={WINDOW_MAX_SECONDS} onChange={(windowSeconds) => put({ windowSeconds })} />
      </SimpleGrid>
      <div>
        <Text fz="sm" fw={500} mb={4}>Of events that meet</Text>
        <ConditionRows rows={values.conditions} isOfEscalations={false} isOfCounters mayBeEmpty errors={errors} onChange={(conditions) => put({ conditions })} />
      </div>
      {counter && <Text c="dimmed" fz="sm">Rules still use it as {counter.slug}. Where it counts something else, the past is counted again.</Text>}
      <ValuesNow counter={definition} />
      {errors[""] && <Failure error={create.error ?? change.error ?? check.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close}>Cancel</Button>
        <Button loading={create.isPending || change.isPending} onClick={save}>{counter ? "Save" : "Create"}</Button>
      </Group>
    </Stack>
  );
}

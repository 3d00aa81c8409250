// Counters that most teams can use: none is there until it is added.

import { Autocomplete, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState, type ReactNode } from "react";
import { $api, refresh, type Schemas } from "../../api";
import { Answer, Failure } from "../../parts/Answer";
import { useFacts } from "../rules/rules";

type New = Schemas["NewCounterBody"];

export function ReadyMade() {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>Ready-made…</Button>
      <Modal opened={isOpen} onClose={close} title="Ready-made counters" size="lg"><Templates /></Modal>
    </>
  );
}

function Templates() {
  const templates = $api.useQuery("get", "/api/counters/catalog");
  const own = $api.useQuery("get", "/api/counters", { params: { query: { pageSize: 100 } } });
  // The counter whose field is asked for.
  const [asked, setAsked] = useState<string>();
  const add = $api.useMutation("post", "/api/counters", {
    onError: () => {},
    onSuccess: async () => {
      setAsked(undefined);
      await refresh("/api/counters");
    },
  });
  const names = own.data?.content.map(({ name }) => name) ?? [];
  const isAdding = (name: string) => add.isPending && add.variables.body.name === name;
  return (
    <Answer of={templates} lines={8}>
      {(all) => (
        <Stack gap="sm">
          {Boolean(add.error) && <Failure error={add.error} />}
          {all.map(({ counter, description }) => {
            const field = fieldOf(counter);
            const isAdded = names.includes(counter.name);
            return (
              <Template
                key={counter.name} counter={counter} description={description} isAdded={isAdded} isAdding={isAdding(counter.name)} asksFirst={field !== undefined}
                onAdd={() => (field ? setAsked(counter.name) : add.mutate({ body: counter }))}
              >
                {field && asked === counter.name && !isAdded && (
                  <FieldChoice example={counter[field] ?? ""} isAdding={isAdding(counter.name)} onAdd={(fact) => add.mutate({ body: { ...counter, [field]: fact } })} />
                )}
              </Template>
            );
          })}
        </Stack>
      )}
    </Answer>
  );
}

/** Which of its facts is a field of data, which every application names itself. */
function fieldOf({ of, per }: New): "of" | "per" | undefined {
  if (of?.startsWith(EVENT_DATA)) return "of";
  return per.startsWith(EVENT_DATA) ? "per" : undefined;
}

const EVENT_DATA = "event.data.";

interface TemplateProps {
  counter: New;
  description: string;
  isAdded: boolean;
  isAdding: boolean;
  /** Whether something is to be answered before it is added. */
  asksFirst: boolean;
  onAdd: () => void;
  children: ReactNode;
}

function Template({ counter, description, isAdded, isAdding, asksFirst, onAdd, children }: TemplateProps) {
  const word = isAdded ? "Added" : "Add";
  return (
    <div>
      <Group justify="space-between" wrap="nowrap" gap="md">
        <div>
          <Text fw={500} fz="sm">{counter.name}</Text>
          <Text c="dimmed" fz="sm">{description}</Text>
        </div>
        {!children && (
          <Button size="xs" flex="none" variant="default" aria-label={`${word} ${counter.name}`} disabled={isAdded} loading={isAdding} onClick={onAdd}>
            {asksFirst && !isAdded ? "Add…" : word}
          </Button>
        )}
      </Group>
      {children}
    </div>
  );
}

/** Asks for the field of one's own events. */
function FieldChoice({ example, isAdding, onAdd }: { example: string; isAdding: boolean; onAdd: (fact: string) => void }) {
  const [path, setPath] = useState(example.slice(EVENT_DATA.length));
  const [isSent, setIsSent] = useState(false);
  const seen = useFacts().filter(({ name }) => name.startsWith(EVENT_DATA)).map(({ name }) => name.slice(EVENT_DATA.length));
  const isEmpty = path.trim() === "";
  const add = () => {
    setIsSent(true);
    if (!isEmpty) onAdd(`${EVENT_DATA}${path.trim()}`);
  };
  return (
    <Group mt="xs" gap="xs" align="flex-end">
      <Autocomplete
        label="Field of the event's data" description="As your events name it; of an object in it, cart.total." autoFocus data={seen} value={path} onChange={setPath}
        error={isSent && isEmpty && "Enter a field, such as amount."} flex={1} miw={180}
      />
      <Button size="sm" loading={isAdding} onClick={add}>Add</Button>
    </Group>
  );
}

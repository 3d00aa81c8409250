// Counters that most teams can use: none is there until it is added.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { $api, refresh } from "../../api";
import { Answer, Failure } from "../../parts/Answer";

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
  const add = $api.useMutation("post", "/api/counters", { onError: () => {}, onSuccess: () => refresh("/api/counters") });
  const names = own.data?.content.map(({ name }) => name) ?? [];
  return (
    <Answer of={templates} lines={8}>
      {(all) => (
        <Stack gap="sm">
          {Boolean(add.error) && <Failure error={add.error} />}
          {all.map(({ counter, description }) => ({ counter, description, isAdded: names.includes(counter.name) })).map(({ counter, description, isAdded }) => (
            <Group key={counter.name} justify="space-between" wrap="nowrap" gap="md">
              <div>
                <Text fw={500} fz="sm">{counter.name}</Text>
                <Text c="dimmed" fz="sm">{description}</Text>
              </div>
              <Button
                size="xs"
                flex="none"
                variant="default"
                aria-label={`${isAdded ? "Added" : "Add"} ${counter.name}`}
                disabled={isAdded}
                loading={add.isPending && add.variables.body.name === counter.name}
                onClick={() => add.mutate({ body: counter })}
              >
                {isAdded ? "Added" : "Add"}
              </Button>
            </Group>
          ))}
        </Stack>
      )}
    </Answer>
  );
}

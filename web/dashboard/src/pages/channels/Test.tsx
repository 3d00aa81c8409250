// Sends an example now, and shows what came of it.

import { Button, Group, Modal, NativeSelect, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { $api, refresh } from "../../api";
import { Failure } from "../../parts/Answer";
import { PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { Attempt } from "../deliveries/Attempt";
import { target, type Channel } from "./config";

/** The event of a test, which is sent whatever a channel is subscribed to. */
export const TEST = "CHANNEL_TEST";

export function Test({ channel }: { channel: Channel }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" onClick={open}>Test…</Button>
      <Modal opened={isOpen} onClose={close} title="Test the channel" size="xl">
        <TestForm channel={channel} />
      </Modal>
    </>
  );
}

function TestForm({ channel }: { channel: Channel }) {
  const [event, setEvent] = useState(TEST);
  const types = $api.useQuery("get", "/api/event-types", undefined, { staleTime: Infinity });
  const test = $api.useMutation("post", "/api/channels/{id}/actions/test", {
    onError: () => {},
    onSettled: () => void refresh("/api/channels"),
  });
  const type = types.data?.find(({ name }) => name === event);
  return (
    <Stack>
      <Group align="flex-end" gap="sm">
        <NativeSelect
          label="Example event"
          flex={1}
          miw={200}
          value={event}
          data={types.data?.map(({ name }) => ({ value: name, label: word(name) })) ?? [{ value: TEST, label: word(TEST) }]}
          onChange={(change) => setEvent(change.currentTarget.value)}
          description={type && event !== TEST ? `What it tells: ${type.description}` : "An example with nothing behind it, to see that it arrives."}
        />
        <Button loading={test.isPending} onClick={() => test.mutate({ params: { path: { id: channel.id } }, body: { event } })}>Send test</Button>
      </Group>
      {test.error && <Failure error={test.error} />}
      {test.data && !test.isPending && (
        <>
          <Attempt key={test.data.deliveryId} attempt={test.data} url={channel.type === "WEBHOOK" ? target(channel) : undefined} isOpen />
          <PageLink to="/deliveries/$id" params={{ id: String(test.data.deliveryId) }} fz="sm">Open in the delivery log</PageLink>
        </>
      )}
    </Stack>
  );
}

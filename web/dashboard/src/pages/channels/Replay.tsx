// Sends the deliveries of a time range again: first it says how many, and then it queues exactly those.

import { Button, Group, Modal, NativeSelect, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { $api, refresh, type Schemas } from "../../api";
import { Failure } from "../../parts/Answer";
import { exactTime } from "../../parts/Time";
import { toLocal, toUtc } from "../../parts/TimeFilter";
import { counted } from "../../parts/counts";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import type { Channel } from "./config";
import { Waiting } from "./Waiting";
import { tellSent } from "./waits";

type Range = Omit<Schemas["ReplayBody"], "dryRun">;

const DAY_MS = 86_400_000;

export function Replay({ channel }: { channel: Channel }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>Replay…</Button>
      <Modal opened={isOpen} onClose={close} title="Replay a time range" size="lg">
        <ReplayForm channel={channel} onDone={close} />
      </Modal>
    </>
  );
}

/** The last day, until somebody says otherwise. */
function recent() {
  const now = Date.now();
  return { from: toLocal(new Date(now - DAY_MS).toISOString()), to: toLocal(new Date(now).toISOString()), status: "FAILED" };
}

/** A second that is named is meant whole. */
const SECOND_MS = 1_000;

/** The range that is meant; what happens after this moment is not. */
function rangeOf({ from, to, status }: ReturnType<typeof recent>): Range {
  const end = Math.min(new Date(to).getTime() + SECOND_MS, Date.now());
  return { from: toUtc(from) ?? "", to: Number.isNaN(end) ? "" : new Date(end).toISOString(), status: status || null };
}

function ReplayForm({ channel, onDone }: { channel: Channel; onDone: () => void }) {
  const replay = $api.useMutation("post", "/api/channels/{id}/actions/replay", { onError: () => {} });
  // Another range has to be counted anew.
  const form = useForm({
    initialValues: recent(),
    validate: { from: required("Enter a time."), to: required("Enter a time.") },
    onValuesChange: () => replay.reset(),
  });
  const failure = useRefusal(form, replay.error);
  const params = { path: { id: channel.id } };
  const counted = replay.variables?.body;
  const matched = replay.data?.dryRun ? replay.data.matched : undefined;
  const leftOut = replay.data?.leftOut ?? 0;
  const sent = matched === undefined ? 0 : matched - leftOut;
  const count = form.onSubmit((values) => replay.mutate({ params, body: { ...rangeOf(values), dryRun: true } }), (errors) => showFirst(form, errors));
  const queue = () => {
    if (!counted) return;
    replay.mutate({ params, body: { ...counted, dryRun: false } }, {
      onSuccess: ({ queued }) => {
        const { id, enabled, health } = channel;
        const waitsFor = health.status === "FAILING" ? "HELD" : null;
        tellSent(`${deliveries(queued)} queued.`, { channelId: id, status: enabled ? "PENDING" : "PAUSED", waitsFor, nextAttemptAt: health.resumesAt });
        void refresh("/api/channels", "/api/deliveries");
        onDone();
      },
    });
  };
  return (
    <form noValidate onSubmit={count}>
      <Stack>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput type="datetime-local" step={1} label="Created from" required {...form.getInputProps("from")} />
          <TextInput type="datetime-local" step={1} label="To" required {...form.getInputProps("to")} />
        </SimpleGrid>
        <NativeSelect
          label="Status"
          description="Pending deliveries are sent anyway."
          data={[{ value: "FAILED", label: "Failed" }, { value: "DELIVERED", label: "Delivered" }, { value: "", label: "Both" }]}
          {...form.getInputProps("status")}
        />
        {Boolean(failure) && <Failure error={failure} />}
        {counted && matched !== undefined && <Text fz="sm" role="status">{deliveries(matched)} from {exactTime(counted.from)} to {exactTime(counted.to)}. {leftOut > 0 && `What the channel sends now leaves out ${deliveries(leftOut)} of them. `}Receivers recognize repeats by their event ids.</Text>}
        {counted && matched === 0 && <Text fz="sm"><Waiting channel={channel} filter={{ from: counted.from, to: counted.to }} onFollow={onDone} /></Text>}
        <Group justify="flex-end" gap="xs" className="buttons">
          <Button variant="default" onClick={onDone}>Cancel</Button>
          <Button type="submit" variant={matched === undefined ? "filled" : "default"} loading={replay.isPending}>Count</Button>
          {matched !== undefined && <Button disabled={sent === 0} onClick={queue}>Replay{sent > 0 && ` ${deliveries(sent)}`}</Button>}
        </Group>
      </Stack>
    </form>
  );
}

function deliveries(count: number): string {
  return counted(count, "delivery", "deliveries");
}

// Puts the rule of an escalation off for its identity, until a time.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { $api, refresh, tell } from "../../api";
import { Failure } from "../../parts/Answer";
import { exactTime } from "../../parts/Time";
import { Reason } from "../identity/Dismiss";
import { DRAWN } from "../rules/rules";
import { Choices } from "./Choices";
import type { Escalation } from "./escalations";

export const SNOOZE_KEY = "s";

const DAY_MS = 86_400_000;
const DAYS = [
  { value: "1", label: "A day" },
  { value: "7", label: "A week" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
];

/** What no rule has opened has none to put off. */
export function canSnooze({ status, escalationRule }: Escalation): boolean {
  return status !== "CLOSED" && escalationRule.id !== DRAWN;
}

interface Props {
  escalation: Escalation;
  close: (isDone: boolean) => void;
}

export function Snooze({ escalation: { id, identity, escalationRule }, close }: Props) {
  const [days, setDays] = useState("7");
  const [reason, setReason] = useState("");
  const [now] = useState(Date.now);
  const until = new Date(now + Number(days) * DAY_MS).toISOString();
  const snooze = $api.useMutation("post", "/api/escalations/{id}/actions/snooze", {
    onError: () => {},
    onSuccess: async () => {
      tell(`“${escalationRule.label}” is snoozed for ${identity.label} until ${exactTime(until)}.`);
      close(true);
      await refresh("/api/escalations", "/api/identities");
    },
  });
  const submit = () => snooze.mutate({ params: { path: { id } }, body: { until, reason: reason.trim() || null } });
  return (
    <Modal opened onClose={() => close(false)} title={`Snooze “${escalationRule.label}” for ${identity.label}?`}>
      <form onSubmit={(event) => { event.preventDefault(); submit(); }}>
        <Stack>
          <Choices name="days" label="For" value={days} options={DAYS} onChange={setDays} isFirst />
          <Text fz="sm">
            This escalation is closed, and the rule opens no other one of this identity before {exactTime(until)}. Then it does again, if its conditions hold.
            Other rules, badges and scores stay as they are.
          </Text>
          <Reason value={reason} onChange={(event: { currentTarget: { value: string } }) => setReason(event.currentTarget.value)} data-autofocus={undefined} />
          {snooze.error && <Failure error={snooze.error} />}
          <Group justify="flex-end" gap="xs" className="buttons">
            <Button variant="default" onClick={() => close(false)}>Cancel</Button>
            <Button type="submit" loading={snooze.isPending}>Snooze</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

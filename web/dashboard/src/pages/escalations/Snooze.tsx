// Puts the rule of an escalation off for its identity, until a time.

import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { $api, api, refresh, tell, tellError } from "../../api";
import { Failure } from "../../parts/Answer";
import { exactTime } from "../../parts/Time";
import { Reason } from "../identity/Dismiss";
import { DRAWN } from "../rules/rules";
import { Choices } from "./Choices";
import { ClosingSends } from "./CloseEscalation";
import type { Escalation } from "./escalations";
import { tellDone } from "./moves";

export const SNOOZE_KEY = "s";

const DAY_MS = 86_400_000;
const DATE = "DATE";
const DAYS = [
  { value: "1", label: "A day" },
  { value: "7", label: "A week" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
  { value: DATE, label: "Until a date" },
];
const MAX_DAYS = 366;

/** What no rule has opened has none to put off. */
export function canSnooze({ status, escalationRule }: Escalation): boolean {
  return status !== "CLOSED" && escalationRule.id !== DRAWN;
}

/** Ends a snooze: the rule opens an escalation if it holds. */
async function endSnooze(id: string, rule: string): Promise<void> {
  const { error } = await api.POST("/api/identities/{id}/actions/end-snooze", { params: { path: { id } }, body: { rule } });
  if (error) throw error;
  tell("The snooze has ended: the rule opens an escalation if its conditions hold.");
  await refresh("/api/escalations", "/api/identities");
}

interface Props {
  escalation: Escalation;
  close: (isDone: boolean) => void;
}

export function Snooze({ escalation: { id, identity, escalationRule }, close }: Props) {
  const [days, setDays] = useState("7");
  const [reason, setReason] = useState("");
  const [now] = useState(Date.now);
  const dayAfter = (count: number) => new Date(now + count * DAY_MS).toISOString().slice(0, 10);
  const [date, setDate] = useState(() => dayAfter(14));
  const until = days === DATE ? `${date}T00:00:00.000Z` : new Date(now + Number(days) * DAY_MS).toISOString();
  const snooze = $api.useMutation("post", "/api/escalations/{id}/actions/snooze", {
    onError: () => {},
    onSuccess: async () => {
      tellDone(`“${escalationRule.label}” is snoozed for ${identity.label} until ${exactTime(until)}.`, () => void endSnooze(identity.id, escalationRule.id).catch(tellError));
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
          {days === DATE && <TextInput type="date" label="Date" description="From its beginning, in UTC." required min={dayAfter(1)} max={dayAfter(MAX_DAYS)} value={date} onChange={(event) => setDate(event.currentTarget.value)} />}
          <Text fz="sm">
            This escalation is closed, and the rule opens no other one of this identity before {date ? exactTime(until) : "that date"}. Then it does again, if its conditions hold.
            Other rules, badges and scores stay as they are.
          </Text>
          <ClosingSends id={id} />
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

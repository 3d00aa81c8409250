// What helps somebody who was flagged wrongly: their escalations are closed with a reason, and their bad badges dismissed.

import { Button, Checkbox, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { $api, api, refresh, tell, type Schemas } from "../../api";
import { Answer, Failure } from "../../parts/Answer";
import { CONFIRMED_BAD } from "../labels/words";
import { DISMISSED, Reason } from "./Dismiss";

type Identity = Schemas["IdentityBody"];
type Escalation = Schemas["EscalationBody"];

interface Props {
  identity: Identity;
  isOpen: boolean;
  close: () => void;
}

export function FlaggedWrongly({ identity, isOpen, close }: Props) {
  return (
    <Modal opened={isOpen} onClose={close} title="Flagged wrongly?" size="lg">
      <Remedies identity={identity} close={close} />
    </Modal>
  );
}

/** Escalations that are asked for; more than that of one identity are worked through in the queue. */
const ESCALATIONS_MAX = 100;

function Remedies({ identity, close }: Omit<Props, "isOpen">) {
  const query = { identity: identity.id, pageSize: ESCALATIONS_MAX };
  const escalations = $api.useQuery("get", "/api/escalations", { params: { query } });
  return (
    <Stack>
      <Text fz="sm">
        This closes the escalations and dismisses the badges that you choose. The scores stay as they are, and your application still
        receives them; others are not affected.
        {identity.label?.outcome === "BAD" && " It is labeled bad: to undo that, withdraw the label, or label it as good."}
      </Text>
      <Answer of={escalations} lines={4}>
        {({ content }) => <Choice identity={identity} open={content.filter(({ status }) => status !== "CLOSED")} close={close} />}
      </Answer>
    </Stack>
  );
}

function Choice({ identity, open, close }: { identity: Identity; open: Escalation[]; close: () => void }) {
  const bad = identity.badges.filter(({ type, slug }) => type === "BAD" && slug !== CONFIRMED_BAD);
  const [escalations, setEscalations] = useState(() => open.map(({ id }) => String(id)));
  const [badges, setBadges] = useState(() => bad.map(({ slug }) => slug));
  const [reason, setReason] = useState("");
  const help = useMutation({
    mutationFn: () => remedy(identity.id, escalations.map(Number), badges, reason.trim() || null),
    onError: () => {},
    onSuccess: () => {
      close();
      tell("Done. The audit log has an entry for each step.");
    },
    onSettled: () => refresh("/api/identities", "/api/escalations"),
  });
  if (open.length === 0 && bad.length === 0) {
    return (
      <>
        <Text fz="sm" role="status">There is nothing to undo: no open escalation and no bad badge.</Text>
        <Group justify="flex-end" gap="xs" className="buttons"><Button variant="default" onClick={close}>Close</Button></Group>
      </>
    );
  }
  return (
    <form onSubmit={(event) => { event.preventDefault(); help.mutate(); }}>
      <Stack>
        {open.length > 0 && (
          <Checkbox.Group label="Close these escalations" value={escalations} onChange={setEscalations}>
            <Stack gap={6} mt={6}>{open.map(({ id, escalationRule }) => <Checkbox key={id} value={String(id)} label={escalationRule.label} />)}</Stack>
          </Checkbox.Group>
        )}
        {bad.length > 0 && (
          <Checkbox.Group label="Dismiss these badges" description={DISMISSED} value={badges} onChange={setBadges}>
            <Stack gap={6} mt={6}>{bad.map(({ slug, name }) => <Checkbox key={slug} value={slug} label={name} />)}</Stack>
          </Checkbox.Group>
        )}
        <Reason value={reason} onChange={(event: React.ChangeEvent<HTMLTextAreaElement>) => setReason(event.currentTarget.value)} />
        {help.error && <Failure error={help.error} />}
        <Group justify="flex-end" gap="xs" className="buttons">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" disabled={escalations.length + badges.length === 0} loading={help.isPending}>{does(escalations.length, badges.length)}</Button>
        </Group>
      </Stack>
    </form>
  );
}

function does(escalations: number, badges: number): string {
  const parts = [
    ...(escalations > 0 ? [`close ${escalations === 1 ? "the escalation" : `${escalations} escalations`}`] : []),
    ...(badges > 0 ? [`dismiss ${badges === 1 ? "the badge" : `${badges} badges`}`] : []),
  ];
  const text = parts.join(" and ") || "choose something";
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** One after the other: a badge that is gone may close an escalation that asks for it. */
async function remedy(id: string, escalations: number[], badges: string[], reason: string | null): Promise<void> {
  for (const escalation of escalations) {
    const { error } = await api.PATCH("/api/escalations/{id}", { params: { path: { id: escalation } }, body: { status: "CLOSED", reason } });
    if (error) throw error;
  }
  for (const badge of badges) {
    const { error } = await api.POST("/api/identities/{id}/actions/dismiss-badge", { params: { path: { id } }, body: { badge, reason } });
    if (error) throw error;
  }
}

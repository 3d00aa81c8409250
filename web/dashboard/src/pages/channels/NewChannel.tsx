// A channel comes to be, and its signing secret is shown, this one time.

import { Button, Checkbox, Modal, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { $api, api, refresh, tellError } from "../../api";
import { useEscalationRules } from "../rules/rules";
import { ShownOnce } from "../settings/ShownOnce";
import { ChannelForm } from "./ChannelForm";
import { configOf, filterOf, type Channel, type ChannelValues } from "./config";
import { SigningSecret } from "./Verify";

/** What rules send to the channels that they name, and to no other. */
const OPENED = "ESCALATION_OPENED";

/** Has rules notify a channel as well. */
async function nameIn(ids: number[], { slug }: Channel): Promise<void> {
  for (const id of ids) {
    const { data: rule, error } = await api.GET("/api/escalation-rules/{id}", { params: { path: { id } } });
    if (!rule) throw error;
    const { name, severity, channels, conditions, openAfterSeconds, closeAfterSeconds, effectiveAt, addsToLists, enabled } = rule;
    const body = { name, severity, channels: [...channels, slug], conditions, openAfterSeconds, closeAfterSeconds, effectiveAt: effectiveAt ?? null, addsToLists, enabled };
    const changed = await api.PUT("/api/escalation-rules/{id}", { params: { path: { id } }, body });
    if (!changed.data) throw changed.error;
  }
}

/** Which rules are to notify the channel. */
function Rules({ chosen, onChange }: { chosen: string[]; onChange: (chosen: string[]) => void }) {
  const rules = useEscalationRules();
  if (!rules.data || rules.data.length === 0) return null;
  const all = rules.data.map(({ id }) => String(id));
  return (
    <Checkbox.Group label="Let these rules notify it" description="Escalations are sent to the channels that their rule names, and to no other." value={chosen} onChange={onChange}>
      <Stack gap={6} mt="xs">
        {rules.data.map(({ id, name }) => <Checkbox key={id} value={String(id)} label={name} />)}
        {all.length > 1 && chosen.length < all.length && <Button size="compact-xs" variant="subtle" style={{ alignSelf: "flex-start" }} onClick={() => onChange(all)}>All of them</Button>}
      </Stack>
    </Checkbox.Group>
  );
}

export function NewChannel() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const navigate = useNavigate();
  const [rules, choose] = useState<string[]>([]);
  const show = ({ id }: Channel) => navigate({ to: "/settings/channels/$id", params: { id: String(id) } });
  const create = $api.useMutation("post", "/api/channels", {
    onError: () => {},
    onSuccess: async (channel) => {
      if (channel.events.includes(OPENED)) await nameIn(rules.map(Number), channel).catch(tellError);
      close();
      void refresh("/api/channels", "/api/escalation-rules");
      if (!channel.signingSecret) void show(channel);
    },
  });
  const submit = (values: ChannelValues) => {
    const { type, name, events } = values;
    create.mutate({ body: { type, name: name.trim(), enabled: true, events, config: configOf(values), ...filterOf(values) } });
  };
  const begin = () => {
    create.reset();
    choose([]);
    open();
  };
  const made = create.data;
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={begin}>New channel…</Button>
      <Modal opened={isOpen} onClose={close} title="New channel" size="lg">
        <ChannelForm error={create.error} isBusy={create.isPending} onSubmit={submit} onCancel={close} more={(events) => events.includes(OPENED) && <Rules chosen={rules} onChange={choose} />} />
      </Modal>
      <ShownOnce isOpen={Boolean(made?.signingSecret)} title="Channel created" onClose={() => made && void show(made)}>
        <SigningSecret value={made?.signingSecret ?? ""} />
      </ShownOnce>
    </>
  );
}

// A channel comes to be, and its signing secret is shown, this one time.

import { Button, Modal } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { $api, refresh } from "../../api";
import { ShownOnce } from "../settings/ShownOnce";
import { ChannelForm } from "./ChannelForm";
import { configOf, filterOf, type Channel, type ChannelValues } from "./config";
import { SigningSecret } from "./Verify";

export function NewChannel() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const navigate = useNavigate();
  const show = ({ id }: Channel) => navigate({ to: "/settings/channels/$id", params: { id: String(id) } });
  const create = $api.useMutation("post", "/api/channels", {
    onError: () => {},
    onSuccess: (channel) => {
      close();
      void refresh("/api/channels");
      if (!channel.signingSecret) void show(channel);
    },
  });
  const submit = (values: ChannelValues) => {
    const { type, name, events } = values;
    create.mutate({ body: { type, name: name.trim(), enabled: true, events, config: configOf(values), ...filterOf(values) } });
  };
  const begin = () => {
    create.reset();
    open();
  };
  const made = create.data;
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={begin}>New channel…</Button>
      <Modal opened={isOpen} onClose={close} title="New channel" size="lg">
        <ChannelForm error={create.error} isBusy={create.isPending} onSubmit={submit} onCancel={close} />
      </Modal>
      <ShownOnce isOpen={Boolean(made?.signingSecret)} title="Channel created" onClose={() => made && void show(made)}>
        <SigningSecret value={made?.signingSecret ?? ""} />
      </ShownOnce>
    </>
  );
}

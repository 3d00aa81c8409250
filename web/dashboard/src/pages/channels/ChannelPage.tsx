// A channel: what it is, how it is doing, what can be done with it, and all that it was to tell.

import { Alert, Button, Group, Modal, SimpleGrid, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { $api, refresh, tell } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { Answer } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Confirm } from "../../parts/Confirm";
import { Facts, Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { counted } from "../../parts/counts";
import { word } from "../../parts/score";
import { useEscalationRules } from "../rules/rules";
import { Activity } from "./Activity";
import { ChannelForm } from "./ChannelForm";
import { configOf, filterOf, target, TYPES, webhookFacts, type Channel, type ChannelValues } from "./config";
import { DeliveryLog } from "./DeliveryLog";
import { Enable } from "./Enable";
import { FilterInWords } from "./Filter";
import { Health } from "./Health";
import { Retry } from "./Retry";
import { RotateSecret } from "./RotateSecret";
import { Test } from "./Test";

export function ChannelPage() {
  const { id } = useParams({ strict: false });
  const channel = $api.useQuery("get", "/api/channels/{id}", { params: { path: { id: Number(id) } } });
  const { manage } = useMay();
  return (
    <Page title={channel.data?.name ?? "Channel"} mayNot={useMayNot("manage", "change this channel, test it, and send deliveries again")} actions={manage && channel.data && <Actions channel={channel.data} />}>
      <Answer of={channel} lines={8}>
        {(shown) => (
          <>
            <SimpleGrid cols={{ base: 1, md: 2 }}>
              <Panel title="Channel">
                <Facts facts={facts(shown)} />
                <Unnamed channel={shown} />
              </Panel>
              <Panel title="Health"><Health channel={shown} /></Panel>
            </SimpleGrid>
            <Activity channelId={shown.id} />
            <DeliveryLog channel={shown} />
          </>
        )}
      </Answer>
    </Page>
  );
}

/** Escalations go only to channels that their rules name. */
function Unnamed({ channel: { slug, events } }: { channel: Channel }) {
  const isTold = events.some((event) => event.startsWith("ESCALATION_"));
  const rules = useEscalationRules();
  if (!isTold || !rules.data || rules.data.some(({ channels }) => channels.includes(slug))) return null;
  return (
    <Alert color="yellow" mt="sm" title="No rule names this channel">
      <Text fz="sm">It is subscribed to escalations, and gets those of rules that name it. Name it in <PageLink to="/rules" underline="always">an escalation rule</PageLink>.</Text>
    </Alert>
  );
}

function facts(channel: Channel): [string, ReactNode][] {
  const { type, slug, events, createdAt, updatedAt } = channel;
  return [
    ["Type", TYPES.find(({ value }) => value === type)?.label ?? word(type)],
    ["Destination", <span className="mono">{target(channel)}</span>],
    ["Slug", <span className="mono">{slug}</span>],
    ["Subscribed events", events.length === 0 ? <Text c="dimmed" fz="sm" component="span">none: nothing is sent</Text> : <Group gap={4}>{events.map((event) => <Chip key={event}>{word(event)}</Chip>)}</Group>],
    ["Sends", <FilterInWords channel={channel} />],
    ["Left out", counted(channel.leftOut, "event")],
    ...(type === "WEBHOOK" ? webhookFacts(channel) : []),
    ["Created", <Time at={createdAt} />],
    ["Changed", <Time at={updatedAt} />],
  ];
}

function Actions({ channel }: { channel: Channel }) {
  return (
    <>
      <Test channel={channel} />
      <Retry channel={channel} />
      <Enable channel={channel} />
      <Edit channel={channel} />
      {channel.type === "WEBHOOK" && <RotateSecret channelId={channel.id} />}
      <Remove channel={channel} />
    </>
  );
}

function Edit({ channel }: { channel: Channel }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const change = $api.useMutation("patch", "/api/channels/{id}", {
    onError: () => {},
    onSuccess: async ({ droppedHeaders }) => {
      close();
      // What cannot be read must not go to another host.
      if (droppedHeaders) tell(`The URL leads elsewhere: ${droppedHeaders.join(", ")} is not sent there. Give the value anew where it belongs.`);
      await refresh("/api/channels");
    },
  });
  const submit = (values: ChannelValues) => {
    const { name, events } = values;
    change.mutate({ params: { path: { id: channel.id } }, body: { name: name.trim(), events, config: configOf(values), ...filterOf(values) } });
  };
  const begin = () => {
    change.reset();
    open();
  };
  return (
    <>
      <Button size="xs" variant="default" onClick={begin}>Edit…</Button>
      <Modal opened={isOpen} onClose={close} title={`Edit ${channel.name}`} size="lg">
        <ChannelForm channel={channel} error={change.error} isBusy={change.isPending} onSubmit={submit} onCancel={close} />
      </Modal>
    </>
  );
}

function Remove({ channel }: { channel: Channel }) {
  const { data: rules = [] } = useEscalationRules();
  const naming = rules.filter(({ channels }) => channels.includes(channel.slug)).map(({ name }) => `“${name}”`);
  const navigate = useNavigate();
  const remove = $api.useMutation("delete", "/api/channels/{id}", {
    onSuccess: async () => {
      tell(`${channel.name} is deleted.`);
      await navigate({ to: "/settings/channels" });
      await refresh("/api/channels");
    },
  });
  return (
    <Confirm
      action="Delete" question={`Delete ${channel.name}?`} loading={remove.isPending}
      onConfirm={() => remove.mutate({ params: { path: { id: channel.id } } })}
    >
      Its deliveries, sent and pending, are deleted with it.{" "}
      {naming.length > 0 && `${naming.join(", ")} ${naming.length === 1 ? "names it: that rule notifies" : "name it: those rules notify"} nobody here any more.`}
    </Confirm>
  );
}

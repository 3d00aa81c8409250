// A delivery, with every attempt to send it, newest first.

import { Button, Stack } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { $api, refresh, type Schemas } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { sentence } from "../../fields";
import { Answer } from "../../parts/Answer";
import { Copy } from "../../parts/Copy";
import { Facts, Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Moment } from "../../parts/Time";
import { word } from "../../parts/score";
import { target, type Channel } from "../channels/config";
import { Retry } from "../channels/Retry";
import { heldWords, tellSent } from "../channels/waits";
import { About } from "./About";
import { Attempt, type Shown } from "./Attempt";
import { DeliveryStatus } from "./DeliveryStatus";
import { STATES, WAITS } from "./words";

type Delivery = Omit<Schemas["DeliveryLogBody"], "attempts"> & { attempts: Shown[] };

/** How often a delivery is looked at that is due or under way, should no live update come. */
const LOOK_MS = 2_000;

export function DeliveryPage() {
  const { id } = useParams({ strict: false });
  const delivery = $api.useQuery("get", "/api/deliveries/{id}", { params: { path: { id: Number(id) } } }, {
    refetchInterval: ({ state }) => (state.data?.status === "PENDING" ? LOOK_MS : false),
  });
  const channelId = delivery.data?.channelId;
  const channel = $api.useQuery("get", "/api/channels/{id}", { params: { path: { id: channelId ?? 0 } } }, { enabled: channelId !== undefined });
  return (
    <Page title={delivery.data ? `Delivery: ${word(delivery.data.event)}` : "Delivery"} mayNot={useMayNot("manage", "send a delivery again")} actions={delivery.data && <Actions delivery={delivery.data} channel={channel.data} />}>
      <Answer of={delivery} lines={8}>{(shown) => <Log delivery={shown} channel={channel.data} />}</Answer>
    </Page>
  );
}

function Log({ delivery, channel }: { delivery: Delivery; channel: Channel | undefined }) {
  const url = channel?.type === "WEBHOOK" ? target(channel) : undefined;
  const newest = delivery.attempts.findLast((attempt) => attempt.startedAt != null)?.attempt;
  return (
    <>
      <Panel><Facts facts={facts(delivery, channel)} /></Panel>
      <Stack gap="md">
        {delivery.attempts.toReversed().map((attempt) => (
          <Attempt
            // What was to come becomes another entry once it is made.
            key={`${attempt.attempt} ${attempt.startedAt != null}`}
            attempt={attempt}
            url={url}
            dueAt={delivery.nextAttemptAt}
            isOpen={attempt.attempt === newest}
          />
        ))}
      </Stack>
    </>
  );
}

function facts(delivery: Delivery, channel: Channel | undefined): [string, ReactNode][] {
  const { id, status, waitsFor, event, eventId, identityId, channelId, createdAt, nextAttemptAt, completedAt, errorMessage } = delivery;
  return [
    ["Status", <><DeliveryStatus delivery={delivery} /> {waitsFor === "HELD" ? heldWords(delivery) : waitsFor ? WAITS[waitsFor]?.note : STATES[status]}</>],
    ...(errorMessage ? [["Last error", sentence(errorMessage)] as [string, string]] : []),
    ["Event", word(event)],
    ["Delivery id", <><span className="mono">{id}</span> <Copy text={String(id)} label="delivery id" /></>],
    ["Event id", <><span className="mono">{eventId}</span> <Copy text={eventId} label="event id" /></>],
    ["Identity", identityId && <About delivery={delivery} />],
    ["Channel", <PageLink to="/settings/channels/$id" params={{ id: String(channelId) }}>{channel?.name ?? channelId}</PageLink>],
    ["Created", <Moment at={createdAt} />],
    waitsFor === "SENDING" ? ["Next attempt", "under way"] : nextAttemptAt ? ["Next attempt", <Moment at={nextAttemptAt} isAhead />] : ["Completed", <Moment at={completedAt} />],
  ];
}

function Actions({ delivery, channel }: { delivery: Delivery; channel: Channel | undefined }) {
  const { manage } = useMay();
  if (!manage) return null;
  return (
    <>
      {channel && delivery.status === "PENDING" && <Retry channel={channel} />}
      <Resend delivery={delivery} />
    </>
  );
}

function Resend({ delivery }: { delivery: Delivery }) {
  const resend = $api.useMutation("post", "/api/deliveries/{id}/actions/resend", {
    onSuccess: async (queued) => {
      tellSent("Queued, with the same event id.", queued);
      await refresh("/api/deliveries", "/api/channels");
    },
  });
  return (
    <Button size="xs" loading={resend.isPending} onClick={() => resend.mutate({ params: { path: { id: delivery.id } } })}>Resend</Button>
  );
}

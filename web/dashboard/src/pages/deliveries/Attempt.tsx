// One attempt of a delivery: what was sent, what came back, and what went wrong.

import { Alert, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { useState, type ReactNode } from "react";
import type { Schemas } from "../../api";
import { sentence } from "../../fields";
import { StatusChip } from "../../parts/Chip";
import { Copy } from "../../parts/Copy";
import { Facts } from "../../parts/Page";
import { millis, Moment, Time } from "../../parts/Time";
import { word } from "../../parts/score";
import { curl } from "./curl";
import classes from "./Attempt.module.css";
import { ERRORS, size, TRIGGERS } from "./words";
import { Side } from "./Wire";

/** An attempt as the client reads it: to it a pair is a list of strings. */
export type Shown = Omit<Schemas["AttemptBody"], "responseHeaders"> & { responseHeaders?: string[][] | null };

interface Props {
  attempt: Shown;
  /** Where the channel of a webhook sends to now; others have no command. */
  url: string | undefined;
  /** When it is due, if it is to come. */
  dueAt?: string | null | undefined;
  /** Whether what went over the wire is shown from the start. */
  isOpen?: boolean;
}

export function Attempt({ attempt, url, dueAt, isOpen = false }: Props) {
  const made = attempt.startedAt != null;
  return (
    <section className="panel" aria-label={`Attempt ${attempt.attempt}`}>
      <Stack gap="sm" p="md">
        <Group gap="sm">
          <Text fw={650} component="h2" fz="lg" m={0}>Attempt {attempt.attempt}</Text>
          <StatusChip status={attempt.status} />
          <Text c="dimmed" fz="sm" component="span">{TRIGGERS[attempt.trigger] ?? word(attempt.trigger)}</Text>
        </Group>
        {made ? <Outcome attempt={attempt} /> : <Upcoming dueAt={dueAt} />}
        {made && <Exchange attempt={attempt} url={url} isOpen={isOpen} />}
      </Stack>
    </section>
  );
}

function Upcoming({ dueAt }: { dueAt: string | null | undefined }) {
  if (!dueAt) return <Text fz="sm">Pending.</Text>;
  return <Text fz="sm" role="status">Due <Time at={dueAt} isAhead /> (this page updates by itself)</Text>;
}

function Outcome({ attempt }: { attempt: Shown }) {
  const { startedAt, durationMillis, httpStatus, payloadSize, errorClass, errorMessage, remoteAddress } = attempt;
  const facts: [string, ReactNode][] = [
    ["Started", <Moment at={startedAt} />],
    ["Duration", durationMillis != null && millis(durationMillis)],
    ["HTTP status", httpStatus],
    ["Payload", payloadSize != null && size(payloadSize)],
    ["IP address", remoteAddress && <span className="mono">{remoteAddress}</span>],
  ];
  return (
    <>
      {errorClass && (
        <Alert color="red" title={ERRORS[errorClass] ?? word(errorClass)}>
          <Text fz="sm" className="break">{sentence(errorMessage ?? "")}</Text>
        </Alert>
      )}
      <Facts facts={facts.map(([name, value]) => [name, value === false ? null : value])} />
    </>
  );
}

function Exchange({ attempt, url, isOpen }: { attempt: Shown; url: string | undefined; isOpen: boolean }) {
  // Whoever reads it is not disturbed by what comes after it.
  const [isOpenAtFirst] = useState(isOpen);
  const { requestHeaders, requestBody, responseHeaders, responseBody } = attempt;
  if (requestBody == null) return <Text c="dimmed" fz="sm">The request is no longer stored.</Text>;
  return (
    <details open={isOpenAtFirst} className={classes.exchange}>
      <summary>Request and response</summary>
      <SimpleGrid cols={{ base: 1, lg: 2 }} mt="sm">
        <Stack gap="sm" miw={0}>
          <Side title="Request" headers={Object.entries(requestHeaders ?? {})} body={requestBody} label="request body" />
          {url && <CopyCommand url={url} headers={requestHeaders ?? {}} body={requestBody} />}
        </Stack>
        {responseBody == null
          ? <Text c="dimmed" fz="sm">No response.</Text>
          : <Side title="Response" headers={pairs(responseHeaders)} body={responseBody} label="response body" {...(isCut(responseBody) && { note: CUT })} />}
      </SimpleGrid>
    </details>
  );
}

/** Of a longer answer this is kept. */
const KEPT_BYTES = 16 * 1_024;
const CUT = "The first 16\u00A0KiB";

/** Whether a body may be longer than what is kept of it, which ends with a whole character. */
function isCut(body: string): boolean {
  return new TextEncoder().encode(body).length > KEPT_BYTES - 4;
}

function CopyCommand({ url, headers, body }: { url: string; headers: Record<string, string>; body: string }) {
  return (
    <Group gap="sm">
      <Copy text={curl(url, headers, body)} label="as curl" isWide />
      <Text c="dimmed" fz="xs" flex={1} miw={200}>
        The body exactly as sent, to the current URL of the channel. Fill in what is masked yourself; receivers reject the signature after five minutes.
      </Text>
    </Group>
  );
}

function pairs(headers: Shown["responseHeaders"]): [string, string][] {
  return (headers ?? []) as [string, string][];
}

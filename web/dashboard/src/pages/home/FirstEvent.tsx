// A new installation: how to send the first event, and what comes after it.

import { Button, Code, Group, Loader, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useState } from "react";
import { $api, refresh } from "../../api";
import { useMay } from "../../app/session";
import { Copy, Source } from "../../parts/Copy";
import { Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { RefusedOrigins } from "../settings/RefusedOrigins";
import { EXAMPLE, listenCommand, SNIPPETS } from "../settings/snippets";
import { FirstScores } from "./FirstScores";
import { Steps } from "./NextSteps";

/** The key that was made here: as long as the page is loaded it can be copied, wherever one has been meanwhile. */
let made: string | undefined;

const NOTES: Record<string, string> = {
  curl: "An ordinary user, and three accounts that one script has made: see what each of the four scores says of them.",
  Browser: "Into every page. It sees the device, sets no cookies, and never sends what is typed. Origins that no credential allows are listed here, with a button to allow them.",
  TypeScript: "Whenever something happens: a sign-up, a sign-in, a purchase.",
  Python: "With the official client. Whenever something happens: a sign-up, a sign-in, a purchase.",
  Rust: "With the official client. Whenever something happens: a sign-up, a sign-in, a purchase.",
};

/** `hasEvents`: whether the first has arrived; `onDone` leaves for the dashboard. */
export function FirstEvent({ hasEvents, onDone }: { hasEvents: boolean; onDone: () => void }) {
  return (
    <Page title="Welcome" actions={hasEvents && <Button size="xs" onClick={onDone}>Go to the dashboard</Button>}>
      <Panel>
        <Group gap="sm" role="status">
          {hasEvents ? <IconCircleCheck size={22} color="var(--band-3-mark)" aria-hidden /> : <Loader size="sm" aria-hidden />}
          <Text fw={600} flex={1} miw={200}>{hasEvents ? "Your first event is here." : "Waiting for your first event. This page updates by itself when it arrives."}</Text>
          {!hasEvents && <SendExample />}
        </Group>
      </Panel>
      <RefusedOrigins />
      {hasEvents && <FirstScores />}
      {hasEvents && <Panel title="What comes next"><Steps /></Panel>}
      <Snippets hasEvents={hasEvents} />
    </Page>
  );
}

/** Sends what the command sends. */
function SendExample() {
  const { manage } = useMay();
  const send = $api.useMutation("post", "/api/events/batch", { onSuccess: () => refresh("/api/dashboard", "/api/identities") });
  if (!manage) return null;
  return <Button size="xs" variant="default" loading={send.isPending} onClick={() => send.mutate({ body: EXAMPLE })}>Send the example</Button>;
}

/** Once there are events, the next steps say how to receive webhooks. */
function Snippets({ hasEvents }: { hasEvents: boolean }) {
  const { manage } = useMay();
  const [language, choose] = useState("curl");
  const { data: system } = $api.useQuery("get", "/api/system");
  const credentials = $api.useQuery("get", "/api/credentials", undefined, { enabled: manage });
  const create = $api.useMutation("post", "/api/credentials", {
    onSuccess: async ({ secretKey }) => {
      made = secretKey ?? undefined;
      await refresh("/api/credentials");
    },
  });
  const secretKey = made;
  const publicKey = credentials.data?.find((credential) => credential.enabled)?.publicKey;
  const text = SNIPPETS[language]?.({ publicKey, secretKey }) ?? "";
  return (
    <Panel title="Send events" note="Every user that an event names becomes an identity with four scores.">
      <Stack gap="sm">
        <div style={{ overflowX: "auto" }}>
          <SegmentedControl size="xs" data={Object.keys(SNIPPETS)} value={language} onChange={choose} aria-label="Language" />
        </div>
        <Text fz="sm">{NOTES[language]}</Text>
        <Source text={text} label={language === "Browser" ? "snippet" : "command"} />
        {language !== "Browser" && (secretKey
          ? (
            <Text fz="sm" component="div">
              <strong>Copy the key before you leave: it is not shown again.</strong> It is the credential “First steps”, which you can revoke in Settings.{" "}
              <Copy text={secretKey} label="secret key" isWide />
            </Text>
          )
          : (
            <Group gap="sm">
              <Text fz="sm">The secret key was printed at the first start.</Text>
              {manage && <Button size="xs" variant="default" loading={create.isPending} onClick={() => create.mutate({ body: { name: "First steps" } })}>Use a new key</Button>}
            </Group>
          ))}
        {!hasEvents && language !== "Browser" && (
          <>
            <Text fz="sm">
              See the webhooks arrive: first start this in another terminal, which receives and verifies them.
              {system?.reachesItself === false && <> This server does not send to its own machine: for that, start it with <Code>--egress-allow 127.0.0.0/8</Code>.</>}
            </Text>
            <Source text={listenCommand(secretKey)} label="command to listen" />
          </>
        )}
        {language === "Browser" && <Text fz="sm">Its keys and origins are in <PageLink to="/settings/credentials" underline="always">Credentials</PageLink>.</Text>}
      </Stack>
    </Panel>
  );
}

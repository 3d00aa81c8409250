// Where the browser of somebody arrives whose AI agent asks to act for them, by OAuth.

import { Alert, Button, Group, List, Skeleton, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { $api, type Schemas } from "../api";
import { usePageSearch } from "../app/search";
import { useUser } from "../app/session";
import { roleName } from "./settings/roles";
import { Failure } from "../parts/Answer";
import { Time } from "../parts/Time";
import { Door } from "./Door";

/** The parameters that concern the server; a client may send others. */
const NAMES = ["response_type", "client_id", "redirect_uri", "code_challenge", "code_challenge_method", "state", "resource", "scope"] as const;
type Params = Partial<Record<(typeof NAMES)[number], string>>;

export function Consent() {
  const [search] = usePageSearch();
  const params: Params = Object.fromEntries(NAMES.flatMap((name) => (search[name] === undefined ? [] : [[name, search[name]]])));
  const request = $api.useQuery("get", "/api/oauth/request", { params: { query: params } }, { staleTime: Infinity });
  if (request.data) return <Question asked={request.data} params={params} />;
  return (
    <Door title="Connect an MCP client">
      {request.error ? <Failure error={request.error} /> : <Skeleton height={160} aria-label="Loading" />}
    </Door>
  );
}

function Question({ asked, params }: { asked: Schemas["AuthorizationRequestBody"]; params: Params }) {
  const { email, role } = useUser();
  const [isDone, setDone] = useState(false);
  const leave = { onError: () => {}, onSuccess: ({ redirectTo }: Schemas["RedirectBody"]) => { setDone(true); location.assign(redirectTo); } };
  const approve = $api.useMutation("post", "/api/oauth/request/actions/approve", leave);
  const deny = $api.useMutation("post", "/api/oauth/request/actions/deny", leave);
  const { clientName, clientRegisteredAt, redirectUri, refusal } = asked;
  const isBusy = approve.isPending || deny.isPending || isDone;
  const failure = approve.error ?? deny.error;
  return (
    <Door title={`Connect ${clientName}?`}>
      <Text>
        <b className="break">{clientName}</b> asks to act on your behalf. You are signed in as <b className="break">{email}</b>, with the role {roleName(role)}.
      </Text>
      {refusal ? (
        <Alert color="red" title="This request cannot be approved" role="alert">{refusal}</Alert>
      ) : (
        <Stack gap={4}>
          <Text fw={600}>It will be able to</Text>
          <List fz="sm" spacing={2}>
            {ABILITIES.filter(([roles]) => roles.includes(role)).map(([, ability]) => <List.Item key={ability}>{ability}</List.Item>)}
          </List>
          <Text fz="sm" c="dimmed">It cannot change channels, credentials or people. If your role changes, so does what it can do.</Text>
        </Stack>
      )}
      <Text fz="sm">
        Your answer is sent to <Receiver asked={asked} />: <code className="break">{redirectUri}</code>
      </Text>
      {!refusal && (
        <Text fz="sm">
          The client chose this name itself, and registered <Time at={clientRegisteredAt} />. Connect it only if you started this yourself.
        </Text>
      )}
      {Boolean(failure) && <Failure error={failure} />}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" loading={deny.isPending} disabled={isBusy} onClick={() => deny.mutate({ body: params })}>{refusal ? "Return to the client" : "Cancel"}</Button>
        {!refusal && <Button loading={approve.isPending} disabled={isBusy} onClick={() => approve.mutate({ body: params })}>Connect</Button>}
      </Group>
      {isDone && <Text fz="sm" role="status">Continue in {clientName}. You can close this page.</Text>}
    </Door>
  );
}

function Receiver({ asked: { redirectHost, redirectScheme } }: { asked: Schemas["AuthorizationRequestBody"] }) {
  if (redirectHost) return <b className="break">{redirectHost}</b>;
  if (redirectScheme) return <>the app on this device that opens links of <b className="break">{redirectScheme}</b></>;
  return <>a program on this computer</>;
}

/** By role, in the words of the tools' list in the manual. */
const ABILITIES: [roles: string[], ability: string][] = [
  [["VIEWER", "USER", "ADMIN"], "read identities, events, escalations, rules, channels and datasets"],
  [["USER", "ADMIN"], "acknowledge and close escalations, disregard and rescore identities"],
  [["ADMIN"], "change rules, mappings and datasets, and send test deliveries"],
];

// Origins whose pages may not send events: a browser tells of it in its own console only.

import { Alert, Button, Group, NativeSelect, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Time } from "../../parts/Time";

type Refused = Schemas["RefusedOriginBody"];
type Credential = Schemas["CredentialBody"];

/** How often it is looked whether there are more. */
const LOOK_MS = 5_000;

/** Nothing where none was refused. */
export function RefusedOrigins() {
  const { manage } = useMay();
  const asked = { enabled: manage, refetchInterval: LOOK_MS };
  const refused = $api.useQuery("get", "/api/credentials/refused-origins", undefined, asked);
  const credentials = $api.useQuery("get", "/api/credentials", undefined, { enabled: manage });
  const enabled = (credentials.data ?? []).filter((credential) => credential.enabled);
  if (!refused.data?.length) return null;
  return (
    <Alert color="orange" title="Pages of these origins were refused: no credential allows them">
      <Stack gap="sm">
        {refused.data.map((one) => <Row key={`${one.origin} ${one.credentialId ?? ""}`} refused={one} credentials={enabled} />)}
      </Stack>
    </Alert>
  );
}

function Row({ refused: { origin, credentialId, count, lastSeenAt, canBeAllowed }, credentials }: { refused: Refused; credentials: Credential[] }) {
  const own = credentials.find(({ id }) => id === credentialId);
  return (
    <Group gap="sm" justify="space-between">
      <Text fz="sm" component="div" miw={0}>
        <strong className="mono break">{canBeAllowed ? origin : "no origin (null)"}</strong>
        {own && <>, with the key of {own.name}</>}: {count === 1 ? "one request" : `${count.toLocaleString("en")} requests`}, the last <Time at={lastSeenAt} />
        {!canBeAllowed && <>. Local files and sandboxed frames have no origin: serve the page over http.</>}
      </Text>
      {canBeAllowed && <Allow origin={origin} credentials={own ? [own] : credentials} />}
    </Group>
  );
}

/** One click; where it could be for several credentials, they are there to choose from. */
function Allow({ origin, credentials }: { origin: string; credentials: Credential[] }) {
  const [chosen, choose] = useState<string>();
  const credential = credentials.find(({ id }) => String(id) === chosen) ?? credentials[0];
  const change = $api.useMutation("patch", "/api/credentials/{id}", {
    onSuccess: async ({ name }) => {
      tell(`Pages of ${origin} may send events with the public key of ${name}.`);
      await refresh("/api/credentials");
    },
  });
  if (!credential) return null;
  const allow = () => change.mutate({
    params: { path: { id: credential.id } },
    body: { allowedOrigins: [...credential.allowedOrigins, origin] },
  });
  return (
    <Group gap="xs" wrap="nowrap">
      {credentials.length > 1 && (
        <NativeSelect
          size="xs" aria-label={`Credential for ${origin}`} value={String(credential.id)}
          data={credentials.map(({ id, name }) => ({ value: String(id), label: name }))}
          onChange={(event) => choose(event.currentTarget.value)}
        />
      )}
      <Button size="xs" loading={change.isPending} onClick={allow} aria-label={`Allow ${origin}`}>Allow</Button>
    </Group>
  );
}

// A new installation: how to send the first event, until it is here.

import { Button, Group, Loader, Text } from "@mantine/core";
import { $api, refresh } from "../../api";
import { useMay } from "../../app/session";
import { Source } from "../../parts/Copy";
import { Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";

/** Stands for a secret key, of which the server keeps only the hash. */
const UNKNOWN_KEY = "$DREGS_SECRET_KEY";

function snippet(publicKey: string): string {
  return `<script>window.dregs = window.dregs || function () { (dregs.q = dregs.q || []).push(arguments) }</script>
<script async src="${location.origin}/dregs.js"></script>
<script>
  dregs('init', { key: '${publicKey}' })
  dregs('identify', 'user_1', { email: 'ada@example.com' })
</script>`;
}

function curl(secretKey: string): string {
  return `curl ${location.origin}/api/events \\
  -H "Authorization: Bearer ${secretKey}" -H 'Content-Type: application/json' \\
  -d '{"type": "user.signup",
       "identity": {"id": "user_1", "data": {"name": "Ada Lovelace", "email": "ada@example.com"}}}'`;
}

export function FirstEvent() {
  const { manage } = useMay();
  const credentials = $api.useQuery("get", "/api/credentials", undefined, { enabled: manage });
  const publicKey = credentials.data?.find((credential) => credential.enabled)?.publicKey ?? "pk_…";
  return (
    <Page title="Welcome">
      <Panel>
        <Group gap="sm" role="status">
          <Loader size="sm" aria-hidden />
          <Text fw={600}>Waiting for your first event. This page updates by itself when it arrives.</Text>
        </Group>
      </Panel>
      <FromBackend />
      <Panel
        title="In the browser"
        note={<>Into every page. First allow the origin of your pages in <PageLink to="/settings/credentials" underline="always">Credentials</PageLink>.</>}
      >
        <Source text={snippet(publicKey)} label="snippet" />
      </Panel>
    </Page>
  );
}

/** A command with a key in it: the one that was printed at the first start, or a new one. */
function FromBackend() {
  const { manage } = useMay();
  const create = $api.useMutation("post", "/api/credentials", { onSuccess: () => refresh("/api/credentials") });
  const secretKey = create.data?.secretKey;
  return (
    <Panel title="From your backend" note="Every user that an event names becomes an identity with four scores.">
      <Source text={curl(secretKey ?? UNKNOWN_KEY)} label="command" />
      {secretKey
        ? <Text fz="sm"><strong>Copy it now: the key is not shown again.</strong> It is the credential “First steps”, which you can revoke in Settings.</Text>
        : (
          <Group gap="sm">
            <Text fz="sm">The secret key was printed at the first start.</Text>
            {manage && <Button size="xs" variant="default" loading={create.isPending} onClick={() => create.mutate({ body: { name: "First steps" } })}>Use a new key</Button>}
          </Group>
        )}
    </Panel>
  );
}

// A new installation: how to send the first event, until it is here.

import { Group, Loader, Text } from "@mantine/core";
import { $api } from "../../api";
import { useMay } from "../../app/session";
import { Source } from "../../parts/Copy";
import { Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";

/** The place of a secret key: the server shows it once, and keeps only its hash. */
const SECRET_KEY = "$DREGS_SECRET_KEY";

function snippet(publicKey: string): string {
  return `<script>window.dregs = window.dregs || function () { (dregs.q = dregs.q || []).push(arguments) }</script>
<script async src="${location.origin}/dregs.js"></script>
<script>
  dregs('init', { key: '${publicKey}' })
  dregs('identify', 'user_1', { email: 'ada@example.com' })
</script>`;
}

function curl(): string {
  return `export DREGS_SECRET_KEY=sk_…   # printed once at the first start
curl ${location.origin}/api/events \\
  -H "Authorization: Bearer ${SECRET_KEY}" -H 'Content-Type: application/json' \\
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
          <Text fw={600}>Waiting for your first event. This page goes on by itself when it arrives.</Text>
        </Group>
      </Panel>
      <Panel title="From your backend" note="Every user that an event names becomes an identity with four scores.">
        <Source text={curl()} label="command" />
      </Panel>
      <Panel
        title="In the browser"
        note={<>Into every page. First allow the origin of your pages in <PageLink to="/settings/credentials">Credentials</PageLink>.</>}
      >
        <Source text={snippet(publicKey)} label="snippet" />
      </Panel>
    </Page>
  );
}

// Tokens by which AI agents act as the person who made them, and the clients that the person has connected by OAuth.

import { Anchor, Stack, Text } from "@mantine/core";
import { $api, refresh, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { NewMcpToken } from "./NewMcpToken";
import { whole } from "./whole";

type Token = Schemas["McpTokenBody"];
type Connection = Schemas["ConnectionBody"];

const COLUMNS: Column<Token>[] = [
  { title: "Name", cell: ({ name }) => <span className="break">{name}</span> },
  { title: "Created", cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: "Last used", cell: ({ lastUsedAt }) => <Time at={lastUsedAt} empty="Never" /> },
  { title: "Actions", cell: (token) => <Remove token={token} /> },
];

function Remove({ token: { id, name } }: { token: Token }) {
  const remove = $api.useMutation("delete", "/api/mcp-tokens/{id}", { onSuccess: () => refresh("/api/mcp-tokens") });
  return (
    <Confirm action="Delete" question={`Delete ${name}?`} loading={remove.isPending} onConfirm={() => remove.mutate({ params: { path: { id } } })}>
      Clients that use it are rejected immediately.
    </Confirm>
  );
}

const CONNECTION_COLUMNS: Column<Connection>[] = [
  { title: "Client", cell: ({ name }) => <span className="break">{name}</span> },
  { title: "Connected", cell: ({ connectedAt }) => <Time at={connectedAt} /> },
  { title: "Last used", cell: ({ lastUsedAt }) => <Time at={lastUsedAt} empty="Never" /> },
  { title: "Expires if unused", cell: ({ expiresAt }) => <Time at={expiresAt} isAhead /> },
  { title: "Actions", cell: (connection) => <Disconnect connection={connection} /> },
];

function Disconnect({ connection: { id, name } }: { connection: Connection }) {
  const disconnect = $api.useMutation("delete", "/api/oauth/connections/{id}", { onSuccess: () => refresh("/api/oauth/connections") });
  return (
    <Confirm action="Disconnect" question={`Disconnect ${name}?`} loading={disconnect.isPending} onConfirm={() => disconnect.mutate({ params: { path: { id } } })}>
      Its tokens are revoked immediately. It can ask you to connect it again.
    </Confirm>
  );
}

export function McpTokens() {
  const { manage } = useMay();
  const tokens = $api.useQuery("get", "/api/mcp-tokens");
  const connections = $api.useQuery("get", "/api/oauth/connections");
  return (
    <Page title="MCP tokens" actions={<NewMcpToken />}>
      <Panel title="For AI agents that act on your behalf">
        <Stack gap="xs" fz="sm" className="prose">
          <Text inherit>
            MCP, the Model Context Protocol, is how AI assistants use other programs. With a token of yours, an agent may do at <code>/mcp</code> what
            your role allows, and nothing to channels' configuration, keys or people, until you delete the token or leave the team. A token works nowhere else in the API.
          </Text>
          <Text inherit>
            Clients that support OAuth need no token: add <code>{location.origin}/mcp</code> there, and approve the client on the page that opens here.
          </Text>
          <Text inherit>For programs and scripts, use the secret key of a {manage ? <PageLink to="/settings/credentials" inherit underline="always">credential</PageLink> : "credential, which an admin creates"}; the <Anchor href="/manual/api#who-may-call" inherit underline="always">manual</Anchor> says what it may do.</Text>
        </Stack>
      </Panel>
      <Answer of={tokens}>
        {(all) => (
          <ListTable
            label="Your MCP tokens"
            page={whole(all)}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            empty={<Empty title="You have no tokens">Create one for each agent, so that each can be told apart in the audit log, and deleted.</Empty>}
          />
        )}
      </Answer>
      <Panel title="Connected clients" note="They have signed in by OAuth, and act on your behalf until you disconnect them.">
        <Answer of={connections}>
          {(all) => (
            <ListTable
              label="Your connected clients"
              page={whole(all)}
              columns={CONNECTION_COLUMNS}
              rowKey={({ id }) => id}
              empty={<Empty title="No connected clients">A client that you approve by OAuth is listed here.</Empty>}
            />
          )}
        </Answer>
      </Panel>
    </Page>
  );
}

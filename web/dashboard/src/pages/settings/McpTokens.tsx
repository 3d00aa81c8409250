// Tokens by which AI agents act as the person who made them.

import { Anchor, Stack, Text } from "@mantine/core";
import { $api, refresh, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { NewMcpToken } from "./NewMcpToken";
import { whole } from "./whole";

type Token = Schemas["McpTokenBody"];

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

export function McpTokens() {
  const tokens = $api.useQuery("get", "/api/mcp-tokens");
  return (
    <Page title="MCP tokens" actions={<NewMcpToken />}>
      <Panel title="For AI agents that act on your behalf">
        <Stack gap="xs" fz="sm" className="prose">
          <Text inherit>
            MCP, the Model Context Protocol, is how AI assistants use other programs. With a token of yours, an agent may do at <code>/mcp</code> what
            your role allows, and nothing to channels' configuration, keys or people, until you delete the token or leave the team. A token works nowhere else in the API.
          </Text>
          <Text inherit>For programs and scripts, use the secret key of a <PageLink to="/settings/credentials" inherit underline="always">credential</PageLink>; the <Anchor href="/api/docs" inherit underline="always">API reference</Anchor> says what it may do.</Text>
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
    </Page>
  );
}

// Tokens by which AI agents act as the person who made them.

import { Text } from "@mantine/core";
import { $api, refresh, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page, Panel } from "../../parts/Page";
import { Time } from "../../parts/Time";
import { whole } from "./whole";

type Token = Schemas["McpTokenBody"];

const COLUMNS: Column<Token>[] = [
  { title: "Name", cell: ({ name }) => <span className="break">{name}</span> },
  { title: "Created", cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: "Last used", cell: ({ lastUsedAt }) => <Time at={lastUsedAt} empty="never" /> },
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
    <Page title="MCP tokens">
      <Panel><Text fz="sm">A token lets an AI agent act as the person who made it, at <code>/mcp</code>. This server has no such endpoint yet, so none is made here; those that there are can be deleted.</Text></Panel>
      <Answer of={tokens}>
        {(all) => (
          <ListTable
            label="Your MCP tokens"
            page={whole(all)}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            empty={<Empty title="No token" />}
          />
        )}
      </Answer>
    </Page>
  );
}

// Tokens by which AI agents act as the person who made them.

import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { $api, refresh, type Schemas } from "../../api";
import { useUser } from "../../app/session";
import { Answer, Empty, Failure } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { Secret, Source } from "../../parts/Copy";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page, Panel } from "../../parts/Page";
import { Time } from "../../parts/Time";
import { ShownOnce } from "./ShownOnce";
import { whole } from "./whole";

type Token = Schemas["McpTokenBody"];

/** What MCP clients read, such as `.mcp.json`. */
function configuration(token: string): string {
  const headers = { Authorization: `Bearer ${token}` };
  return JSON.stringify({ mcpServers: { dregs: { type: "http", url: `${location.origin}/mcp`, headers } } }, null, 2);
}

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
  const { role } = useUser();
  return (
    <Page title="MCP tokens">
      <NewToken />
      <Answer of={tokens}>
        {(all) => (
          <ListTable
            label="Your MCP tokens"
            page={whole(all)}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            empty={<Empty title="No token yet">An AI agent with a token of yours reads and does what your role ({role.toLowerCase()}) allows, over the Model Context Protocol.</Empty>}
          />
        )}
      </Answer>
    </Page>
  );
}

function NewToken() {
  const form = useForm({ initialValues: { name: "" } });
  const create = $api.useMutation("post", "/api/mcp-tokens", {
    onError: () => {},
    onSuccess: () => {
      form.reset();
      void refresh("/api/mcp-tokens");
    },
  });
  const token = create.data?.token;
  return (
    <Panel title="New token" note="Use one token per agent, so that each can be revoked on its own. The endpoint they are for, /mcp, is not in this version yet.">
      <form onSubmit={form.onSubmit((body) => create.mutate({ body }))}>
        <Stack gap="sm">
          <Group align="flex-end" gap="sm">
            <TextInput label="Name" placeholder="Support assistant" required maxLength={100} flex={1} maw={360} {...form.getInputProps("name")} />
            <Button type="submit" loading={create.isPending}>Create</Button>
          </Group>
          {create.error && <Failure error={create.error} />}
        </Stack>
      </form>
      <ShownOnce isOpen={Boolean(token)} title="Token created" onClose={create.reset}>
        {token && (
          <>
            <Secret value={token} label="token" use="Whoever has it acts as you." />
            <Text fz="sm">In the configuration of your MCP client:</Text>
            <Source text={configuration(token)} label="configuration" />
          </>
        )}
      </ShownOnce>
    </Panel>
  );
}

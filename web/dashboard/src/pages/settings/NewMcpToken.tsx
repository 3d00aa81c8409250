// A new token for an AI agent; it is shown this one time, and how to connect with it.

import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { $api, refresh } from "../../api";
import { Failure } from "../../parts/Answer";
import { Secret, Source } from "../../parts/Copy";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { ShownOnce } from "./ShownOnce";

export function NewMcpToken() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const form = useForm({ initialValues: { name: "" }, validate: { name: required("Enter a name.") } });
  const create = $api.useMutation("post", "/api/mcp-tokens", {
    onError: () => {},
    onSuccess: () => {
      close();
      form.reset();
      void refresh("/api/mcp-tokens");
    },
  });
  const token = create.data?.token;
  const failure = useRefusal(form, create.error);
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={open}>New token…</Button>
      <Modal opened={isOpen} onClose={close} title="New MCP token">
        <form noValidate onSubmit={form.onSubmit((body) => create.mutate({ body }), (errors) => showFirst(form, errors))}>
          <Stack>
            <TextInput label="Name" description="The agent that uses it: the audit log names it." required maxLength={100} data-autofocus {...form.getInputProps("name")} />
            {Boolean(failure) && <Failure error={failure} />}
            <Group justify="flex-end" gap="xs" className="buttons">
              <Button variant="default" onClick={close}>Cancel</Button>
              <Button type="submit" loading={create.isPending}>Create</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
      <ShownOnce isOpen={token !== undefined} title="Token created" onClose={create.reset}>
        {token && (
          <>
            <Secret value={token} label="token" use="Your agent acts as you with it. Keep it out of repositories." />
            <Source text={claudeCode(token)} label="command for Claude Code" />
            <Source text={config(token)} label="configuration for other clients" />
          </>
        )}
      </ShownOnce>
    </>
  );
}

const address = (): string => `${location.origin}/mcp`;

function claudeCode(token: string): string {
  return `claude mcp add --transport http dregs ${address()} --header "Authorization: Bearer ${token}"`;
}

/** As Cursor has it in ~/.cursor/mcp.json, and most others. */
function config(token: string): string {
  return JSON.stringify({ mcpServers: { dregs: { url: address(), headers: { Authorization: `Bearer ${token}` } } } }, null, 2);
}

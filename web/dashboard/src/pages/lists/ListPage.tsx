// One list: what is on it, and what can be done with it.

import { Button, Group, Switch, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useNavigate, useParams } from "@tanstack/react-router";
import { $api, refresh, tell } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { Answer } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { counted } from "../../parts/counts";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { ImportTable } from "./ImportTable";
import { ListEntries } from "./ListEntries";
import { kindOf, type List } from "./listType";

export function ListPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const path = { id: Number(id) };
  const list = $api.useQuery("get", "/api/lists/{id}", { params: { path } });
  const may = useMay();
  // On a trusted list, admins alone.
  const mayChange = may.manage || (may.triage && !list.data?.trusted);
  const mayNot = useMayNot("manage", "change the list itself, and what is on a trusted one");
  return (
    <Page title={list.data?.name ?? "List"} mayNot={mayNot} actions={<PageLink to="/settings/lists" fz="sm">All lists</PageLink>}>
      <Answer of={list} lines={8}>
        {(list) => (
          <>
            <About list={list} />
            <Group gap="xs">
              {mayChange && <ImportTable list={list} />}
              <Button component="a" size="xs" variant="default" href={`/api/lists/${list.id}/export`} download={`${list.slug}.csv`} leftSection={<IconDownload size={14} />}>Export as CSV</Button>
              {may.manage && <DeleteList list={list} />}
            </Group>
            <ListEntries list={list} mayChange={mayChange} />
          </>
        )}
      </Answer>
    </Page>
  );
}

function About({ list }: { list: List }) {
  const { manage } = useMay();
  const { words, isShared } = kindOf(list.type);
  const change = $api.useMutation("patch", "/api/lists/{id}", {
    onSuccess: async ({ name, trusted }) => {
      tell(trusted ? `${name} is trusted.` : `${name} is trusted no more.`);
      await refresh("/api/lists", "/api/identities", "/api/escalations");
    },
  });
  return (
    <>
      <Text fz="sm" c="dimmed" maw={760} className="break">{words}, {counted(list.entryCount, "entry", "entries")}. Rules call it <code>{list.slug}</code>. {list.description}</Text>
      {isShared && (
        <Switch
          label="Trusted" checked={list.trusted} disabled={!manage || change.isPending}
          description="Sharing what is on it is not held against anybody. Whoever shows one of its values is rescored when this changes."
          onChange={(event) => change.mutate({ params: { path: { id: list.id } }, body: { trusted: event.currentTarget.checked } })}
        />
      )}
    </>
  );
}

function DeleteList({ list: { id, name, entryCount } }: { list: List }) {
  const navigate = useNavigate();
  const remove = $api.useMutation("delete", "/api/lists/{id}", {
    onSuccess: async () => {
      await navigate({ to: "/settings/lists" });
      tell(`${name} is deleted.`);
      await refresh("/api/lists", "/api/identities");
    },
  });
  return (
    <Confirm action="Delete" question={`Delete ${name}?`} loading={remove.isPending} onConfirm={() => remove.mutate({ params: { path: { id } } })}>
      {counted(entryCount, "entry is", "entries are")} deleted with it. Whoever shows one of the values is rescored. Rules that use the list find nothing on it.
    </Confirm>
  );
}

// One list: what is on it, and what can be done with it.

import { Button, Group, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { $api } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { Answer } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { DeleteList } from "./DeleteList";
import { EditList } from "./EditList";
import { ImportTable } from "./ImportTable";
import { ListEntries } from "./ListEntries";
import { kindOf, type List } from "./listType";
import { Trust } from "./Trust";

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
              {may.manage && <EditList list={list} />}
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
  const { words, isShared } = kindOf(list.type);
  return (
    <>
      <Text fz="sm" c="dimmed" maw={760} className="break">{words}, {counted(list.entryCount, "entry", "entries")}. Slug: <code>{list.slug}</code>. {list.description}</Text>
      {isShared && <Trust list={list} />}
    </>
  );
}

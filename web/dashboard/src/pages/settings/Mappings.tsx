// What the names in your events mean: those seen, and all that is known.

import { Group, SegmentedControl, Text } from "@mantine/core";
import { usePageSearch } from "../../app/search";
import { useMayNot } from "../../app/session";
import { Page } from "../../parts/Page";
import { KINDS, kindOf } from "./mapping";
import { MappingList } from "./MappingList";
import { SeenNames } from "./SeenNames";

const VIEWS = [{ value: "seen", label: "Received names" }, { value: "all", label: "All mappings" }];

export function Mappings() {
  const [search, change] = usePageSearch();
  const kind = kindOf(search.kind);
  const isAll = search.view === "all";
  // Filters of one list mean nothing in the other.
  const show = (view: string) => change({ view: view === "all" ? view : undefined, scope: undefined, unmapped: undefined, term: undefined });
  return (
    <Page title="Mappings" mayNot={useMayNot("manage", "change mappings")}>
      <Text c="dimmed" fz="sm" maw={760}>
        Mappings translate the names that your application uses for event types and identity fields into canonical types. Common names are built in; add
        yours here. A mapping also applies to past events: affected identities are rescored.
      </Text>
      <Group gap="sm">
        <SegmentedControl size="xs" aria-label="Kind" data={KINDS} value={kind} onChange={(kind) => change({ kind })} />
        <SegmentedControl size="xs" aria-label="View" data={VIEWS} value={isAll ? "all" : "seen"} onChange={show} />
      </Group>
      {isAll ? <MappingList key={kind} kind={kind} /> : <SeenNames key={kind} kind={kind} />}
    </Page>
  );
}

// What the names in your events mean: those seen, and all that is known.

import { Group, SegmentedControl, Text } from "@mantine/core";
import { usePageSearch } from "../../app/search";
import { Page } from "../../parts/Page";
import { KINDS, kindOf } from "./mapping";
import { MappingList } from "./MappingList";
import { SeenNames } from "./SeenNames";

const VIEWS = [{ value: "seen", label: "Names seen" }, { value: "all", label: "All mappings" }];

export function Mappings() {
  const [search, change] = usePageSearch();
  const kind = kindOf(search.kind);
  const isAll = search.view === "all";
  // Filters of one list mean nothing in the other.
  const show = (view: string) => change({ view: view === "all" ? view : undefined, scope: undefined, unmapped: undefined, term: undefined });
  return (
    <Page title="Mappings">
      <Text c="dimmed" fz="sm" maw={760}>
        Scores know what a registration or an e-mail address is; your application has its own names for them. Many are known from the start, the rest
        is said here. It holds for the past as well: those it concerns are scored again.
      </Text>
      <Group gap="sm">
        <SegmentedControl size="xs" aria-label="Kind" data={KINDS} value={kind} onChange={(kind) => change({ kind })} />
        <SegmentedControl size="xs" aria-label="View" data={VIEWS} value={isAll ? "all" : "seen"} onChange={show} />
      </Group>
      {isAll ? <MappingList key={kind} kind={kind} /> : <SeenNames key={kind} kind={kind} />}
    </Page>
  );
}

// The filters of the list of identities.

import { Autocomplete, Button, Group, Popover, Stack } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { $api } from "../../api";
import { usePageSearch } from "../../app/search";
import { ChoiceFilter, SearchFilter, TextFilter } from "../../parts/Filters";
import { filtersOf, useClearFilters } from "./filters";
import { ScoreRanges } from "./ScoreRanges";

const MORE = ["group", "groupType", "device"];
/** How long after the last key the list is asked for. */
const TYPING_MS = 250;
/** Badge rules that are offered; their number is limited far below. */
const RULES_MAX = 100;

export function FilterBar() {
  const [search] = usePageSearch();
  const clear = useClearFilters();
  const isFiltered = Object.keys(filtersOf(search)).length > 0;
  return (
    <Group gap="xs" role="search" aria-label="Filters">
      <SearchFilter label="Name, e-mail or id" />
      <ScoreRanges />
      <BadgeFilter />
      <ChoiceFilter name="disregarded" label="Disregarded or not" options={[["false", "Not disregarded"], ["true", "Disregarded"]]} />
      <More />
      {isFiltered && <Button size="sm" variant="subtle" onClick={clear}>Clear filters</Button>}
    </Group>
  );
}

/** A badge by its slug: one that a rule gives, or any other. */
function BadgeFilter() {
  const [search, change] = usePageSearch();
  const rules = $api.useQuery("get", "/api/badge-rules", { params: { query: { pageSize: RULES_MAX } } });
  const kept = search.badge ?? "";
  const [text, setText] = useState(kept);
  const settle = useDebouncedCallback((next: string) => change({ badge: next.trim() || undefined }), TYPING_MS);
  useEffect(() => setText(kept), [kept]);
  const put = (next: string) => {
    setText(next);
    settle(next);
  };
  const slugs = [...new Set(rules.data?.content.map(({ slug }) => slug))];
  return <Autocomplete size="sm" w={150} aria-label="Badge" placeholder="Badge" data={slugs} value={text} onChange={put} clearable />;
}

/** The filters that are rarely typed, since other pages lead here with them. */
function More() {
  const [search] = usePageSearch();
  const count = MORE.filter((name) => search[name]).length;
  return (
    <Popover position="bottom-start" trapFocus>
      <Popover.Target>
        <Button size="sm" variant="default" leftSection={<IconAdjustmentsHorizontal size={16} />}>{count > 0 ? `More (${count})` : "More"}</Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="More filters">
        <Stack gap="xs">
          <TextFilter name="group" label="Group id" />
          <TextFilter name="groupType" label="Group type" />
          <TextFilter name="device" label="Device fingerprint" />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

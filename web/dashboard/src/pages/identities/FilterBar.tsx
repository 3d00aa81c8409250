// The filters of the list of identities.

import { Autocomplete, Button, Group, Popover, Stack } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { $api } from "../../api";
import { usePageSearch } from "../../app/search";
import { ChoiceFilter, SearchFilter, TextFilter } from "../../parts/Filters";
import { WITHOUT_RULE } from "../rules/rules";
import { filtersOf, useClearFilters } from "./filters";
import { ScoreRanges } from "./ScoreRanges";

const MORE = ["group", "groupType", "device"];
/** How long after the last key the list is asked for. */
const TYPING_MS = 250;
/** Room for about ten badges. */
const DROPDOWN_PX = 400;
/** Badge rules that are offered; their number is limited far below. */
const RULES_MAX = 100;

export function FilterBar() {
  const [search] = usePageSearch();
  const clear = useClearFilters();
  const isFiltered = Object.keys(filtersOf(search)).length > 0;
  return (
    <Group gap="xs" role="search" aria-label="Filters" className="filters">
      <SearchFilter label="Name, e-mail or id" />
      <ScoreRanges />
      <BadgeFilter />
      <ChoiceFilter name="disregarded" label="Disregarded or not" options={[["false", "Not disregarded"], ["true", "Disregarded"]]} />
      <More />
      {isFiltered && <Button size="sm" variant="subtle" onClick={clear}>Clear filters</Button>}
    </Group>
  );
}

/** A badge by its name, as on the chip; in the address is its slug. */
function BadgeFilter() {
  const [search, change] = usePageSearch();
  const rules = $api.useQuery("get", "/api/badge-rules", { params: { query: { pageSize: RULES_MAX } } });
  const own = rules.data?.content ?? [];
  const badges = [...own, ...WITHOUT_RULE.map(({ value, label }) => ({ slug: value, name: label }))];
  const slug = search.badge ?? "";
  const kept = badges.find((badge) => badge.slug === slug)?.name ?? slug;
  const [text, setText] = useState(kept);
  const settle = useDebouncedCallback((next: string) => {
    const found = slugOf(next, badges);
    if (found !== undefined) change({ badge: found || undefined });
  }, TYPING_MS);
  useEffect(() => {
    setText(kept);
  }, [kept]);
  const put = (next: string) => {
    setText(next);
    settle(next);
  };
  return <Autocomplete size="sm" w={170} aria-label="Badge" placeholder="Badge" data={offered(own)} maxDropdownHeight={DROPDOWN_PX} comboboxProps={{ width: 240, position: "bottom-start" }} value={text} onChange={put} clearable />;
}

/** The names of all badges: those that need no rule first, where however many rules do not hide them. */
function offered(own: { name: string }[]) {
  const without = WITHOUT_RULE.map(({ label }) => label);
  const names = [...new Set(own.map(({ name }) => name))].filter((name) => !without.includes(name));
  return [{ group: "Without a rule", items: without }, ...(names.length > 0 ? [{ group: "By your rules", items: names }] : [])];
}

/** The slug of what was typed, a name or a slug in any case; undefined while it is the beginning of one. */
function slugOf(text: string, badges: { name: string; slug: string }[]): string | undefined {
  const typed = text.trim().toLowerCase();
  if (typed === "") return "";
  const found = badges.find(({ name, slug }) => [name.toLowerCase(), slug].includes(typed));
  if (found) return found.slug;
  const isBeginning = badges.some(({ name, slug }) => name.toLowerCase().includes(typed) || slug.includes(typed));
  return isBeginning ? undefined : typed.replaceAll(/[^a-z0-9]+/g, "-");
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

import { ActionIcon, Group, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { usePageSearch } from "../../app/search";
import type { EscalationPage } from "./escalations";

interface Props {
  page: EscalationPage;
  /** Rows of a page, which may have been asked for with others. */
  pageSize: number;
  shown: number;
  /** What has come since: it is told by itself, and counted in nothing else. */
  arrived: number;
}

/** The way to what is further down, for those who look back; whoever works from the top needs none. */
export function QueuePager({ page: { pageNumber, totalElements, totalIsExact, first }, pageSize, shown, arrived }: Props) {
  const [, change] = usePageSearch();
  const last = totalIsExact && totalElements - arrived <= (pageNumber + 1) * pageSize;
  if (first && last) return null;
  const begin = pageNumber * pageSize;
  const go = (number: number) => change({ pageNumber: number === 0 ? undefined : String(number) });
  return (
    <Group gap="xs" mt="xs">
      <ActionIcon variant="default" aria-label="Previous page" disabled={first} onClick={() => go(pageNumber - 1)}><IconChevronLeft size={16} /></ActionIcon>
      <ActionIcon variant="default" aria-label="Next page" disabled={last} onClick={() => go(pageNumber + 1)}><IconChevronRight size={16} /></ActionIcon>
      <Text c="dimmed" fz="sm" className="numbers">
        {(begin + 1).toLocaleString("en")} – {(begin + shown).toLocaleString("en")} of {totalIsExact ? "" : "more than "}{(totalElements - arrived).toLocaleString("en")}
      </Text>
    </Group>
  );
}

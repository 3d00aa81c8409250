// From where to where each score may be.

import { Button, Group, Popover, RangeSlider, Stack, Text } from "@mantine/core";
import { IconGauge } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { usePageSearch, type Search } from "../../app/search";
import { CATEGORIES, QUESTIONS, word, type Category } from "../../parts/score";
import { endsOf } from "./filters";

type Range = [least: number, most: number];
/** Where the colours of scores change. */
const MARKS = [30, 50, 70].map((value) => ({ value }));

function rangeOf(search: Search, category: Category): Range {
  const [least, most] = endsOf(category);
  return [end(search[least], 0), end(search[most], 100)];
}

/** What an address says, where that is a score: it may have been written by hand, and the list says what is wrong with it. */
function end(text: string | undefined, otherwise: number): number {
  const score = Number(text ?? otherwise);
  return Number.isInteger(score) && score >= 0 && score <= 100 ? score : otherwise;
}

/** "Humanity to 29", "Behavior from 70", "Uniqueness 30 to 49"; undefined where all of them may come. */
function told(category: Category, [least, most]: Range): string | undefined {
  if (least === 0 && most === 100) return undefined;
  if (least === 0) return `${word(category)} to ${most}`;
  return most === 100 ? `${word(category)} from ${least}` : `${word(category)} ${least} to ${most}`;
}

export function ScoreRanges() {
  const [search] = usePageSearch();
  const narrowed = CATEGORIES.map((category) => told(category, rangeOf(search, category))).filter((words) => words !== undefined);
  return (
    <Popover position="bottom-start" width={320} trapFocus>
      <Popover.Target>
        <Button size="sm" variant="default" maw="100%" leftSection={<IconGauge size={16} />}>{narrowed.join(", ") || "Scores"}</Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Scores">
        <Stack gap="md">
          {CATEGORIES.map((category) => <ScoreRange key={category} category={category} />)}
          <Text fz="xs" c="dimmed">Identities without a score in a filtered category are left out.</Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function ScoreRange({ category }: { category: Category }) {
  const [search, change] = usePageSearch();
  const [least, most] = rangeOf(search, category);
  const [range, setRange] = useState<Range>([least, most]);
  // The address changes by views, too.
  useEffect(() => {
    setRange([least, most]);
  }, [least, most]);
  const settle = ([from, to]: Range) => {
    const [fromName, toName] = endsOf(category);
    change({ [fromName]: from > 0 ? String(from) : undefined, [toName]: to < 100 ? String(to) : undefined });
  };
  return (
    <div>
      <Group justify="space-between" gap="xs" mb={4} wrap="nowrap">
        <Text fz="sm" fw={600}>{word(category)} <Text span fz="xs" c="dimmed" fw={400}>{QUESTIONS[category]}</Text></Text>
        <Text fz="sm" className="numbers" style={{ whiteSpace: "nowrap" }}>{range[0]}–{range[1]}</Text>
      </Group>
      <RangeSlider
        size="sm"
        min={0}
        max={100}
        minRange={0}
        label={null}
        marks={MARKS}
        value={range}
        onChange={setRange}
        onChangeEnd={settle}
        thumbFromLabel={`${word(category)}, at least`}
        thumbToLabel={`${word(category)}, at most`}
      />
    </div>
  );
}

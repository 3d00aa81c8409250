// How many identities have which scores, and a way to those behind each bar.

import { Group, SimpleGrid, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { Panel } from "../../parts/Page";
import { band, CATEGORIES, QUESTIONS, word, type Category } from "../../parts/score";
import classes from "./Distribution.module.css";

/** Scores from which to which a bar counts: 0 to 9, … 90 to 100. */
function edges(bin: number): [number, number] {
  return [bin * 10, bin === 9 ? 100 : bin * 10 + 9];
}

export function Distribution() {
  const distribution = $api.useQuery("get", "/api/dashboard/score-distribution");
  return (
    <Panel title="Scores" note="Identities scored in the last 24 hours. Click a bar to list them.">
      <Answer of={distribution} lines={6}>
        {(categories) => (
          <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="xl">
            {CATEGORIES.map((category) => <Histogram key={category} category={category} of={categories} />)}
          </SimpleGrid>
        )}
      </Answer>
    </Panel>
  );
}

function Histogram({ category, of }: { category: Category; of: Schemas["DistributionBody"][] }) {
  const counts = of.find((distribution) => distribution.category === category)?.counts ?? [];
  const most = Math.max(1, ...counts);
  return (
    <div>
      <Title order={3}>{word(category)}</Title>
      <Text c="dimmed" fz="xs">{QUESTIONS[category]}</Text>
      <div className={classes.bars}>
        {counts.map((count, bin) => <Bar key={bin} category={category} bin={bin} count={count} most={most} />)}
      </div>
      <Group justify="space-between" c="dimmed" fz="xs" aria-hidden><span>0</span><span>50</span><span>100</span></Group>
    </div>
  );
}

function Bar({ category, bin, count, most }: { category: Category; bin: number; count: number; most: number }) {
  const [least, greatest] = edges(bin);
  const name = category.toLowerCase();
  const label = `${count.toLocaleString("en")} with ${word(category)} ${least} to ${greatest}`;
  // A bar that stands for somebody can be seen.
  const height = count === 0 ? 0 : Math.max(3, (100 * count) / most);
  return (
    <Link
      to="/identities"
      search={{ [`${name}Min`]: String(least), [`${name}Max`]: String(greatest) }}
      className={classes.bar}
      aria-label={label}
      title={label}
    >
      <span style={{ height: `${height}%` }} data-tone={band(least)} />
    </Link>
  );
}

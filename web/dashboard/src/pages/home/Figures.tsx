import { SimpleGrid, Skeleton, Text } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { Schemas } from "../../api";
import { Failure } from "../../parts/Answer";

type Stats = Schemas["StatsBody"];

const FIGURES: [label: string, note: (stats: Stats) => string, value: keyof Stats][] = [
  ["Identities", (stats) => `${stats.newIdentities.toLocaleString("en")} new in 24 h`, "identities"],
  ["Active", () => "in 24 h", "activeIdentities"],
  ["Scored", () => "in 24 h", "scoredIdentities"],
  ["Events", () => "in 24 h", "events"],
];

/** Four figures for a first look. */
export function Figures({ stats }: { stats: UseQueryResult<Stats, unknown> }) {
  if (stats.error && !stats.data) return <Failure error={stats.error} retry={() => void stats.refetch()} />;
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }}>
      {FIGURES.map(([label, note, key]) => (
        <section key={label} className="panel" aria-label={label} style={{ padding: "0.8rem 1rem" }}>
          <Text c="dimmed" fz="sm">{label}</Text>
          {stats.data
            ? <Text fz={28} fw={700} lh={1.25} className="numbers" data-figure={key}>{Number(stats.data[key]).toLocaleString("en")}</Text>
            : <Skeleton height={28} my={4} width="60%" />}
          <Text c="dimmed" fz="xs">{stats.data ? note(stats.data) : " "}</Text>
        </section>
      ))}
    </SimpleGrid>
  );
}

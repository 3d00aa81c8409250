// How a channel has done over time: how much of it arrived, and how long attempts took.

import { SimpleGrid, Text } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { Answer, Empty } from "../../parts/Answer";
import { ChoiceFilter } from "../../parts/Filters";
import { LineChart } from "../../parts/LineChart";
import { Facts, Panel } from "../../parts/Page";
import { millis } from "../../parts/Time";

type Body = Schemas["ActivityBody"];

const DAY_MS = 86_400_000;
const RANGES: [days: string, label: string][] = [["7", "The last 7 days"], ["30", "The last 30 days"]];
/** How often it is asked for, whatever happens; with live updates, too, where no more than this is counted. */
const REFRESH_MS = 60_000;
const COUNTED_OFTEN = 5_000;
const PERCENT: [number, number] = [0, 100];

export function Activity({ channelId }: { channelId: number }) {
  const [search] = usePageSearch();
  const [now] = useState(() => Date.now());
  const days = RANGES.some(([days]) => days === search.days) ? Number(search.days) : 1;
  const query = { from: new Date(now - days * DAY_MS).toISOString() };
  const activity = $api.useQuery("get", "/api/channels/{id}/activity", { params: { path: { id: channelId }, query } }, {
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
    meta: { isMuch },
  });
  return (
    <Panel title="Success and latency" actions={<ChoiceFilter name="days" label="The last 24 hours" options={RANGES} />}>
      <Answer of={activity} lines={6}>{(shown) => <Charts activity={shown} />}</Answer>
    </Panel>
  );
}

function isMuch(data: unknown): boolean {
  const intervals = (data as Body | undefined)?.intervals ?? [];
  return intervals.reduce((sum, { delivered, failed, retrying, waiting }) => sum + delivered + failed + retrying + waiting, 0) > COUNTED_OFTEN;
}

function Charts({ activity: { intervals } }: { activity: Body }) {
  const { times, success, durations } = useMemo(() => ({
    times: intervals.map(({ from }) => Date.parse(from)),
    success: [{ label: "Arrived, %", colour: "var(--authenticity)", values: intervals.map(({ successPercent }) => successPercent ?? null) }],
    durations: [
      { label: "Median, ms", colour: "var(--humanity)", values: intervals.map(({ durationMillisP50 }) => durationMillisP50 ?? null) },
      { label: "95th percentile, ms", colour: "var(--behavior)", values: intervals.map(({ durationMillisP95 }) => durationMillisP95 ?? null) },
    ],
  }), [intervals]);
  const count = (name: "delivered" | "failed" | "retrying" | "waiting") => intervals.reduce((sum, interval) => sum + interval[name], 0);
  const [delivered, failed, retrying, waiting] = [count("delivered"), count("failed"), count("retrying"), count("waiting")];
  const tried = delivered + failed + retrying;
  if (tried + waiting === 0) return <Empty title="Nothing was sent in this time" />;
  const atLeast = intervals.every(({ isExact }) => isExact) ? "" : "at least ";
  const slowest = Math.max(...intervals.map(({ durationMillisP95 }) => durationMillisP95 ?? 0));
  const share = `${percent(delivered, tried)}%`;
  return (
    <>
      <Facts
        facts={[
          ["Arrived", tried > 0 && `${share}: ${atLeast}${delivered.toLocaleString("en")} of ${tried.toLocaleString("en")} tried`],
          ["Failed for good", failed.toLocaleString("en")],
          ["Retrying", retrying.toLocaleString("en")],
          ["Pending, not tried yet", waiting.toLocaleString("en")],
        ]}
      />
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <div>
          <Text fz="sm" fw={600}>Arrived, % of what was tried</Text>
          <LineChart label={`Share of deliveries that arrived, over time: ${share} in all`} times={times} series={success} range={PERCENT} height={180} />
        </div>
        <div>
          <Text fz="sm" fw={600}>How long attempts took, ms</Text>
          <LineChart label={`How long attempts took, over time: at most ${millis(Math.max(slowest, 1))} for 95 in a hundred`} times={times} series={durations} height={180} />
        </div>
      </SimpleGrid>
      <Text c="dimmed" fz="xs">By when deliveries were created. How long attempts took is that of up to 100 deliveries of each interval, by their last attempt.</Text>
    </>
  );
}

/** To a tenth; 100 is said of all alone, and 0 of none. */
function percent(part: number, whole: number): string {
  const share = Math.round((part / whole) * 1_000) / 10;
  if (part === 0 || part === whole) return String(share);
  return String(Math.min(Math.max(share, 0.1), 99.9));
}

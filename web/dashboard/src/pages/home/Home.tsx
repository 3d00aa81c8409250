// The first page: what needs attention, what has changed, how much there is, and how scores are spread.

import { SegmentedControl, Stack } from "@mantine/core";
import { $api } from "../../api";
import { usePageSearch } from "../../app/search";
import { Integration } from "../../parts/Integration";
import { Page } from "../../parts/Page";
import { Attention } from "./Attention";
import { ChannelHealth } from "./ChannelHealth";
import { Distribution } from "./Distribution";
import { FirstEvent } from "./FirstEvent";
import classes from "./Home.module.css";
import { RANGES, rangeOf } from "./range";
import { RecentlyActive } from "./RecentlyActive";
import { RuleChanges } from "./RuleChanges";
import { Trends } from "./Trends";

export function Home() {
  const stats = $api.useQuery("get", "/api/dashboard/stats");
  const [search, change] = usePageSearch();
  const range = rangeOf(search.range);
  // Live updates tell of the first event, and the page goes on by itself.
  if (stats.data && stats.data.identities === 0 && stats.data.events === 0) return <FirstEvent />;
  const choice = (
    <SegmentedControl
      size="xs"
      aria-label="Time range"
      data={RANGES.map(({ name, label }) => ({ value: name, label }))}
      value={range.name}
      onChange={(name) => change({ range: name === RANGES[0].name ? undefined : name })}
    />
  );
  return (
    <Page title="Home" actions={choice}>
      <Integration />
      <div className={classes.halves}>
        <Attention />
        <Stack>
          <ChannelHealth />
          <RuleChanges range={range} />
        </Stack>
      </div>
      <Trends range={range} identities={stats.data?.identities} />
      <RecentlyActive />
      <Distribution />
    </Page>
  );
}

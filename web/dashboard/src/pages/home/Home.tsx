// The first page: what needs attention, what has changed, how much there is, and how scores are spread.

import { SegmentedControl } from "@mantine/core";
import { useReducer } from "react";
import { $api } from "../../api";
import { usePageSearch } from "../../app/search";
import { Integration } from "../../parts/Integration";
import { Page } from "../../parts/Page";
import { Attention } from "./Attention";
import { ChannelHealth } from "./ChannelHealth";
import { Decisions } from "./Decisions";
import { Distribution } from "./Distribution";
import { FirstEvent } from "./FirstEvent";
import { NextSteps } from "./NextSteps";
import classes from "./Home.module.css";
import { RANGES, rangeOf } from "./range";
import { RecentlyActive } from "./RecentlyActive";
import { RuleChanges } from "./RuleChanges";
import { Trends } from "./Trends";

/** Whether there was nothing when the page was loaded: what is said to a newcomer stays until they go on. */
let isWelcome = false;

export function Home() {
  const stats = $api.useQuery("get", "/api/dashboard/stats");
  const [search, change] = usePageSearch();
  const [, leave] = useReducer((count: number) => count + 1, 0);
  const range = rangeOf(search.range);
  const open = $api.useQuery("get", "/api/escalations/summary").data?.open;
  // Live updates tell of the first event.
  const hasEvents = stats.data && (stats.data.identities > 0 || stats.data.events > 0);
  isWelcome ||= hasEvents === false;
  const goOn = () => {
    isWelcome = false;
    leave();
  };
  if (isWelcome) return <FirstEvent hasEvents={hasEvents === true} onDone={goOn} />;
  const choice = (
    <SegmentedControl
      size="xs"
      aria-label="Time range"
      data={RANGES.map(({ name, label }) => ({ value: name, label }))}
      value={range.name}
      onChange={(name) => change({ range: name === RANGES[0].name ? undefined : name })}
    />
  );
  // What needs somebody comes first, also until it is known; where nothing does, what is left to set up.
  const setUp = <><Integration /><NextSteps /></>;
  return (
    <Page title="Home" actions={choice}>
      {open === 0 && setUp}
      <Attention />
      <div className={classes.halves}>
        <RuleChanges range={range} />
        <ChannelHealth />
      </div>
      {open !== 0 && setUp}
      <Trends range={range} identities={stats.data?.identities} />
      <Decisions />
      <RecentlyActive />
      <Distribution />
    </Page>
  );
}

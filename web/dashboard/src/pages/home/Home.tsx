// The first page: how much there is, how scores are spread, what waits for somebody, and whether others hear of it.

import { Stack } from "@mantine/core";
import { useReducer } from "react";
import { $api } from "../../api";
import { Integration } from "../../parts/Integration";
import { Page } from "../../parts/Page";
import { ChannelHealth } from "./ChannelHealth";
import { Distribution } from "./Distribution";
import { Figures } from "./Figures";
import { FirstEvent } from "./FirstEvent";
import { NextSteps } from "./NextSteps";
import { OpenEscalations } from "./OpenEscalations";
import classes from "./Home.module.css";
import { RecentlyActive } from "./RecentlyActive";

/** Whether there was nothing when the page was loaded: what is said to a newcomer stays until they go on. */
let isWelcome = false;

export function Home() {
  const stats = $api.useQuery("get", "/api/dashboard/stats");
  const [, leave] = useReducer((count: number) => count + 1, 0);
  // Live updates tell of the first event.
  const hasEvents = stats.data && (stats.data.identities > 0 || stats.data.events > 0);
  isWelcome ||= hasEvents === false;
  const goOn = () => {
    isWelcome = false;
    leave();
  };
  if (isWelcome) return <FirstEvent hasEvents={hasEvents === true} onDone={goOn} />;
  return (
    <Page title="Home">
      <Integration />
      <NextSteps />
      <Figures stats={stats} />
      <Distribution />
      <div className={classes.halves}>
        <RecentlyActive />
        <Stack>
          <OpenEscalations />
          <ChannelHealth />
        </Stack>
      </div>
    </Page>
  );
}

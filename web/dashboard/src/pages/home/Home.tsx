// The first page: how much there is, how scores are spread, what waits for somebody, and whether others hear of it.

import { Stack } from "@mantine/core";
import { $api } from "../../api";
import { Integration } from "../../parts/Integration";
import { Page } from "../../parts/Page";
import { ChannelHealth } from "./ChannelHealth";
import { Distribution } from "./Distribution";
import { Figures } from "./Figures";
import { FirstEvent } from "./FirstEvent";
import { OpenEscalations } from "./OpenEscalations";
import classes from "./Home.module.css";
import { RecentlyActive } from "./RecentlyActive";

export function Home() {
  const stats = $api.useQuery("get", "/api/dashboard/stats");
  // Live updates tell of the first event, and the page goes on by itself.
  if (stats.data && stats.data.identities === 0 && stats.data.events === 0) return <FirstEvent />;
  return (
    <Page title="Home">
      <Integration />
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

// How many events the team has sent, this month and day by day.

import { Group, Progress, Stack, Text } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { Answer, Empty } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { ChoiceFilter } from "../../parts/Filters";
import { LineChart } from "../../parts/LineChart";
import { Facts, Page, Panel } from "../../parts/Page";
import { formatted } from "../../app/preferences";
import { byDay } from "../../parts/days";

const DAY_MS = 86_400_000;
const TIMES: [days: string, label: string][] = [["30", "The last 30 days"], ["90", "The last 90 days"], ["365", "The last 365 days"]];

type Body = Schemas["UsageBody"];

export function Usage() {
  const [search] = usePageSearch();
  const [now] = useState(() => Date.now());
  const count = TIMES.some(([days]) => days === search.days) ? Number(search.days) : 0;
  const from = count > 0 ? { from: new Date(now - count * DAY_MS).toISOString() } : {};
  const usage = $api.useQuery("get", "/api/usage", { params: { query: from } }, { placeholderData: keepPreviousData });
  return (
    <Page title="Usage">
      <Answer of={usage} lines={8}>
        {(usage) => (
          <>
            <Month usage={usage} />
            <Panel title="Events received by day" note="Days in UTC." actions={<ChoiceFilter name="days" label="This month" options={TIMES} />}>
              <Days usage={usage} />
            </Panel>
          </>
        )}
      </Answer>
    </Page>
  );
}

function Month({ usage: { eventsThisMonth, monthlyEventQuota: quota, monthStartedAt } }: { usage: Body }) {
  const month = formatted(monthStartedAt, { month: "long", year: "numeric", timeZone: "UTC" });
  const percent = quota ? (100 * eventsThisMonth) / quota : 0;
  return (
    <Panel title={month}>
      <Group gap="xs" align="baseline" className="numbers">
        <Text fz={28} fw={700} lh={1.1}>{eventsThisMonth.toLocaleString("en")}</Text>
        <Text>{quota ? `of ${counted(quota, "event")} received` : eventsThisMonth === 1 ? "event received" : "events received"}</Text>
      </Group>
      {quota ? (
        <Stack gap={6}>
          <Progress value={Math.min(percent, 100)} color={percent >= 90 ? "red" : undefined} aria-label="Events of this month's quota" />
          <Text c="dimmed" fz="sm">{percent.toFixed(percent < 10 ? 1 : 0)}% of the quota. Above it, events are rejected (402) until the month ends (UTC).</Text>
        </Stack>
      ) : (
        <Text c="dimmed" fz="sm">No quota. Set one with DREGS_MONTHLY_EVENT_QUOTA.</Text>
      )}
    </Panel>
  );
}

/** Small ones to two digits, so that few events are not none. */
function average(events: number): string {
  return events.toLocaleString("en", events < 10 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 0 });
}

/** Days of the shown time on which there could have been events: a team that began yesterday did not idle for a month. */
function daysSince({ from, to, firstDay }: Body): number {
  const begin = firstDay && Date.parse(firstDay) > Date.parse(from) ? firstDay : from;
  return Math.max(byDay(begin, to, []).times.length, 1);
}

function Days({ usage }: { usage: Body }) {
  const { times, values } = useMemo(() => byDay(usage.from, usage.to, usage.days.map(({ day, events }) => [day, events])), [usage]);
  const series = useMemo(() => [{ label: "Events received", colour: "var(--humanity)", values }], [values]);
  const total = values.reduce((sum, events) => sum + events, 0);
  const most = Math.max(...values);
  const days = daysSince(usage);
  if (total === 0) return <Empty title="No events in this period">Events sent to POST /api/events are counted here.</Empty>;
  return (
    <>
      <LineChart label={`${counted(total, "event")} in ${counted(times.length, "day")}, at most ${most} on one`} times={times} series={series} height={240} isBars />
      <Facts
        facts={[
          ["Total", total.toLocaleString("en")],
          ["Average per day", `${average(total / days)}${days < times.length ? ", since the first event" : ""}`],
          ["Most on one day", most.toLocaleString("en")],
        ]}
      />
    </>
  );
}

// What happened over the range, beside the same time before.

import { SimpleGrid, Skeleton, Text } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { $api, type Schemas } from "../../api";
import { formatted } from "../../app/preferences";
import { Failure } from "../../parts/Answer";
import { PageLink } from "../../parts/PageLink";
import type { Range } from "./range";
import { Spark, type Bar } from "./Spark";

type Figure = "events" | "newIdentities" | "escalationsOpened" | "escalationsClosed";

const FIGURES: [key: Figure, label: string, colour: string][] = [
  ["escalationsOpened", "Escalations opened", "var(--band-1-mark)"],
  ["escalationsClosed", "Escalations closed", "var(--calm-mark)"],
  ["newIdentities", "New identities", "var(--humanity)"],
  ["events", "Events received", "var(--authenticity)"],
];

const DAY_SECONDS = 86_400;
const DATE: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };
const TIME: Intl.DateTimeFormatOptions = { timeStyle: "short" };
const MOMENT: Intl.DateTimeFormatOptions = { weekday: "short", hour: "numeric", minute: "2-digit" };

export function Trends({ range, identities }: { range: Range; identities: number | undefined }) {
  const trends = $api.useQuery("get", "/api/dashboard/trends", { params: { query: { range: range.name } } }, { placeholderData: keepPreviousData });
  if (trends.error && !trends.data) return <Failure error={trends.error} retry={() => void trends.refetch()} />;
  return (
    <SimpleGrid cols={{ base: 2, lg: 4 }} spacing={{ base: "xs", xs: "md" }}>
      {FIGURES.map(([key, label, colour]) => (
        <Card key={key} label={label} figure={key} data={trends.data}>
          {trends.data && <Spark label={told(label, range, trends.data, key)} bars={bars(trends.data, key)} colour={colour} />}
          {trends.data && hadEvents(trends.data) && <Change range={range} now={trends.data.total[key]} before={trends.data.previous[key]} />}
          {key === "newIdentities" && identities !== undefined && (
            <Text c="dimmed" fz="xs"><span className="numbers" data-figure="identities">{identities.toLocaleString("en")}</span> <PageLink to="/identities" fz="xs" underline="always">{identities === 1 ? "identity" : "identities"}</PageLink> in total</Text>
          )}
        </Card>
      ))}
    </SimpleGrid>
  );
}

function Card({ label, figure, data, children }: { label: string; figure: Figure; data: Schemas["TrendsBody"] | undefined; children: ReactNode }) {
  return (
    <section className="panel" aria-label={label} style={{ padding: "0.8rem 1rem" }}>
      <Text c="dimmed" fz="sm">{label}</Text>
      {data
        ? <Text fz={28} fw={700} lh={1.25} className="numbers" data-figure={figure}>{data.total[figure].toLocaleString("en")}</Text>
        : <Skeleton height={28} my={4} width="60%" />}
      {data ? children : <Skeleton height={52} my={4} />}
    </section>
  );
}

/** Whether there is anything to compare with: on the first day there is not. */
function hadEvents({ previous }: Schemas["TrendsBody"]): boolean {
  return previous.events > 0;
}

/** How much more or less than before, in words and without a colour: more is not always worse. */
function Change({ range, now, before }: { range: Range; now: number; before: number }) {
  return <Text fz="xs" c="dimmed">{changeWords(now, before)} in the {range.words} before ({before.toLocaleString("en")})</Text>;
}

export function changeWords(now: number, before: number): string {
  if (now === before) return "As many as";
  if (before === 0) return `${now.toLocaleString("en")} more than`;
  const percent = Math.round((100 * Math.abs(now - before)) / before);
  // A multiple reads better than thousands of percent.
  if (now > before && percent >= 300) return `${Math.round(now / before).toLocaleString("en")} times as many as`;
  return `${Math.max(percent, 1)}% ${now > before ? "more" : "fewer"} than`;
}

function bars({ points, stepSeconds }: Schemas["TrendsBody"], key: Figure): Bar[] {
  const [whole, end] = stepSeconds >= DAY_SECONDS ? [DATE, DATE] : [MOMENT, points.length * stepSeconds > DAY_SECONDS ? DATE : TIME];
  return points.map((point) => ({ value: point[key], label: `${formatted(point.at, whole)}: ${point[key].toLocaleString("en")}`, at: formatted(point.at, end) }));
}

function told(label: string, range: Range, { total, points }: Schemas["TrendsBody"], key: Figure): string {
  const most = Math.max(...points.map((point) => point[key]));
  return `${label} in the last ${range.words}: ${total[key].toLocaleString("en")}, at most ${most.toLocaleString("en")} in one of ${points.length} steps`;
}

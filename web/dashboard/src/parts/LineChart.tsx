// Curves over time.

import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";

export interface Series {
  label: string;
  /** A colour of CSS, a variable too. */
  colour: string;
  values: (number | null)[];
}

export interface LineChartProps {
  /** What the chart shows, for those who cannot see it. */
  label: string;
  /** Milliseconds since 1970, ascending. */
  times: number[];
  series: Series[];
  height?: number;
  /** The ends of the vertical axis; those of the values unless said. */
  range?: [number, number];
  /** Bars instead of curves, for counts by day. */
  isBars?: boolean;
}

/** Charts come when they are needed, and not with the first page. */
const Plot = lazy(() => import("./Plot"));

export function LineChart(props: LineChartProps) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 220} />}>
      <Plot {...props} />
    </Suspense>
  );
}

import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import type { LineChartProps } from "./LineChart";
import { formatted, zone } from "../app/preferences";
import { exactTime } from "./Time";

const DAY_S = 86_400;
const MINUTE_S = 60;
/** The least time that is drawn: of a moment there is no curve. */
const LEAST_S = 10 * MINUTE_S;
/** Up to so many values each is marked: one that stands alone is no line. */
const MARKED_MAX = 30;
/** Room for the mark of a time, in pixels. */
const MARK_PX = 72;
/** Above the greatest value, so that what reaches it does not look cut off. */
const HEAD_ROOM = 1.08;
/** Half of a mark, for the last, which may stand at the edge; and for what is above the highest value. */
const PADDING: uPlot.Padding = [8, 32, null, null];
const DATE: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };
const YEAR: Intl.DateTimeFormatOptions = { year: "numeric" };
const HOUR: Intl.DateTimeFormatOptions = { timeStyle: "short" };
const SECOND: Intl.DateTimeFormatOptions = { timeStyle: "medium" };

export default function Plot(props: LineChartProps) {
  const { label, times, series, height = 220, range, isBars } = props;
  const box = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const data: uPlot.AlignedData = [times.map((time) => time / 1_000), ...series.map(({ values }) => values)];
    const plot = new uPlot(options({ times, series, range, isBars, height, width: element.clientWidth }), data, element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [times, series, height, range, isBars, scheme]);
  return <div ref={box} role="img" aria-label={label} className="plot" />;
}

type Drawn = Pick<LineChartProps, "times" | "series" | "range" | "isBars"> & { width: number; height: number };

function options({ times, series, range, isBars, width, height }: Drawn): uPlot.Options {
  const line = resolved("var(--line)");
  const axis = { stroke: resolved("var(--mantine-color-dimmed)"), grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const pad = isBars ? halfABar(times) : 0;
  const paths = uPlot.paths.bars?.({ size: [0.8, 40] });
  const last = times.at(-1);
  const toldAt = times.findLastIndex((_, index) => series.some(({ values }) => values[index] != null));
  return {
    width,
    height,
    padding: PADDING,
    tzDate: (time) => uPlot.tzDate(new Date(time * 1_000), zone()),
    series: [
      // While nothing is pointed at, the legend tells of the last that is known.
      { label: isBars ? "Day" : "Time", value: (_, time) => { const at = time ? time * 1_000 : times[toldAt] ?? last; return at === undefined ? "" : told(at, isBars); } },
      ...series.map(({ label, colour, values }): uPlot.Series => {
        const stroke = resolved(colour);
        const style = isBars && paths ? { width: 0, fill: stroke, paths, points: { show: false } } : { width: 2, points: { show: values.filter((one) => one !== null).length <= MARKED_MAX, size: 6 } };
        const value: uPlot.Series.Value = (_, shown, __, index) => (shown ?? (index == null ? values[toldAt] : undefined))?.toLocaleString("en") ?? "–";
        return { label, stroke, spanGaps: true, value, ...style };
      }),
    ],
    axes: [
      { ...axis, space: MARK_PX, values: (_, at) => marks(at) },
      { ...axis, size: 56 },
    ],
    scales: {
      // For a single moment uPlot asks for a thousand days.
      x: { range: (_, least, most) => span(least - pad, (last === times[0] ? least : most) + pad) },
      y: range ? { range } : { range: (_, __, most) => [0, Math.max(most ?? 0, 1) * HEAD_ROOM] },
    },
    cursor: { points: { size: 6 } },
  };
}

/** The colour that a variable stands for now: a canvas knows no variables. */
function resolved(colour: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(colour)?.[1];
  return name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : colour;
}

/** A bar is a day as a whole. */
function told(at: number, isDay: boolean | undefined): string {
  return isDay ? formatted(at, { dateStyle: "medium" }) : exactTime(at);
}

/** Room at either end, in seconds. */
function halfABar(times: number[]): number {
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  return times.length > 1 ? (last - first) / 1_000 / (times.length - 1) / 2 : DAY_S / 2;
}

/** What is drawn, in seconds: a short time is given room on both sides. */
function span(least: number, most: number): [number, number] {
  const room = Math.max(LEAST_S - (most - least), 0) / 2;
  return [least - room, most + room];
}

/** What stands at the times of the axis, in seconds: what tells each from the one before, and the day or the year where it begins. */
function marks(at: number[]): string[] {
  const step = (at[1] ?? 0) - (at[0] ?? 0);
  const [precise, coarse] = step >= DAY_S ? [DATE, YEAR] : [step >= MINUTE_S ? HOUR : SECOND, DATE];
  let part = "";
  return at.map((time, index) => {
    const [mark, now] = [formatted(time * 1_000, precise), formatted(time * 1_000, coarse)];
    const isNew = now !== part;
    part = now;
    // The first mark stands at the edge, where two lines would be cut.
    return isNew && index > 0 ? `${mark}\n${now}` : mark;
  });
}

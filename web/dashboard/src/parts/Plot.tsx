import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import type { LineChartProps } from "./LineChart";
import { formatted, zone } from "../app/preferences";
import { exactTime } from "./Time";

const DAY_S = 86_400;
const MINUTE_S = 60;
const DATE: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };
const HOUR: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
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
  return {
    width,
    height,
    tzDate: (time) => uPlot.tzDate(new Date(time * 1_000), zone()),
    series: [
      { value: (_, time) => (time ? exactTime(time * 1_000) : "") },
      ...series.map(({ label, colour }): uPlot.Series => {
        const stroke = resolved(colour);
        const style = isBars && paths ? { width: 0, fill: stroke, paths, points: { show: false } } : { width: 2 };
        return { label, stroke, spanGaps: true, value: (_, value) => value ?? "", ...style };
      }),
    ],
    axes: [{ ...axis, values: (_, at, __, ___, step) => at.map((time) => tick(time, step)) }, { ...axis, size: 56 }],
    scales: {
      x: { range: (_, least, most) => [least - pad, most + pad] },
      y: range ? { range } : isBars ? { range: (_, __, most) => [0, Math.max(most, 1)] } : {},
    },
    cursor: { points: { size: 6 } },
  };
}

/** The colour that a variable stands for now: a canvas knows no variables. */
function resolved(colour: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(colour)?.[1];
  return name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : colour;
}

/** Room at either end, in seconds. */
function halfABar(times: number[]): number {
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  return times.length > 1 ? (last - first) / 1_000 / (times.length - 1) / 2 : DAY_S / 2;
}

/** What stands at a time of the axis, whose marks are `step` seconds apart. */
function tick(time: number, step: number): string {
  return formatted(time * 1_000, step >= DAY_S ? DATE : step >= MINUTE_S ? HOUR : SECOND);
}

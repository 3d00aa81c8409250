import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import type { LineChartProps } from "./LineChart";

/** The colour that a variable stands for now: a canvas knows no variables. */
function resolved(colour: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(colour)?.[1];
  return name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : colour;
}

export default function Plot({ label, times, series, height = 220, range, isBars }: LineChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const line = resolved("var(--line)");
    const axis = { stroke: resolved("var(--mantine-color-dimmed)"), grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const paths = isBars ? uPlot.paths.bars?.({ size: [0.8, 40] }) : undefined;
    const curves = series.map(({ label, colour }) => {
      const stroke = resolved(colour);
      return { label, stroke, width: isBars ? 0 : 2, spanGaps: true, ...(isBars ? { fill: stroke, paths } : {}) } as uPlot.Series;
    });
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        series: [{}, ...curves],
        axes: [axis, { ...axis, size: 44 }],
        scales: range ? { y: { range } } : isBars ? { y: { range: (_, __, most) => [0, Math.max(most, 1)] } } : {},
        legend: { live: true },
        cursor: { points: { size: 6 } },
      },
      [times.map((time) => time / 1_000), ...series.map(({ values }) => values)],
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [times, series, height, range, isBars, scheme]);
  return <div ref={box} role="img" aria-label={label} />;
}

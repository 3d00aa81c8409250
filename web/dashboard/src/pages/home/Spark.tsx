import classes from "./Spark.module.css";

export interface Bar {
  value: number;
  /** When, and how many. */
  label: string;
  /** When, as the ends of the chart have it: in few characters, since two of them share the line of a phone. */
  at: string;
}

/** A small chart of counts over time; it needs no library, so that the first page stays small. */
export function Spark({ label, bars, colour }: { label: string; bars: Bar[]; colour: string }) {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  return (
    <div role="img" aria-label={label}>
      <div className={classes.bars}>
        {bars.map(({ value, label }) => (
          <span key={label} className={classes.bar} title={label}>
            {/* A bar that stands for something can be seen. */}
            <span style={{ height: `${value === 0 ? 0 : Math.max(4, (100 * value) / most)}%`, background: colour }} />
          </span>
        ))}
      </div>
      <div className={classes.ends} aria-hidden><span>{bars[0]?.at}</span><span>{bars.at(-1)?.at}</span></div>
    </div>
  );
}

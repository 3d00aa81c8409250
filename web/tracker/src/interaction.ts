// How the page is operated: counts and rhythms, never what is typed, clicked or read.

import { rounded, spread, Strokes, type Stroke } from "./strokes";

export interface Interaction {
  clicks: number;
  scriptedClicks: number;
  moves: number;
  touches: number;
  keys: number;
  scrolls: number;
  strokes?: Stroke[];
  keyIntervals?: number;
  keyIntervalMillis?: number;
  keyIntervalDeviationMillis?: number;
}

/** A pause that ends a run of keys. */
const PAUSE_MS = 1_500;
const INTERVALS_MAX = 200;

class Summary {
  private counts = { clicks: 0, scriptedClicks: 0, moves: 0, touches: 0, keys: 0, scrolls: 0 };
  private strokes = new Strokes();
  private intervals: number[] = [];
  private keyAt = 0;
  private code = "";

  click(event: MouseEvent): void {
    this.counts[event.isTrusted ? "clicks" : "scriptedClicks"]++;
  }

  move(event: PointerEvent): void {
    if (event.pointerType === "touch") return;
    this.strokes.move(event.x, event.y, event.timeStamp);
    this.counts.moves++;
  }

  touch(): void {
    this.counts.touches++;
  }

  key(event: KeyboardEvent): void {
    if (event.repeat) return;
    const interval = event.timeStamp - this.keyAt;
    // One key that is held repeats evenly, and remote desktops do not say that it does. Phones do not say which it is.
    const isHeld = event.code !== "" && event.code === this.code;
    if (this.counts.keys > 0 && !isHeld && interval < PAUSE_MS && this.intervals.length < INTERVALS_MAX) {
      this.intervals.push(interval);
    }
    this.keyAt = event.timeStamp;
    this.code = event.code;
    this.counts.keys++;
  }

  scroll(): void {
    this.counts.scrolls++;
  }

  /** What has happened, if anything has. */
  end(): Interaction | undefined {
    if (Object.values(this.counts).every((count) => count === 0)) return undefined;
    const summary: Interaction = { ...this.counts };
    const strokes = this.strokes.end();
    if (strokes.length > 0) summary.strokes = strokes;
    const count = this.intervals.length;
    if (count > 1) {
      const { mean, deviation } = spread(this.intervals);
      summary.keyIntervals = count;
      summary.keyIntervalMillis = rounded(mean, 10);
      summary.keyIntervalDeviationMillis = rounded(deviation, 10);
    }
    return summary;
  }
}

/** Watches the page; the answer gives what has happened since it was last asked. */
export function observe(): () => Interaction | undefined {
  let summary = new Summary();
  const options = { capture: true, passive: true };
  /** What the page's own code dispatches is nobody's hand. */
  const trusted = <E extends Event>(tell: (event: E) => void) => (event: E) => event.isTrusted && tell(event);
  addEventListener("click", (event) => summary.click(event), options);
  addEventListener("pointermove", trusted((event: PointerEvent) => summary.move(event)), options);
  addEventListener("touchstart", trusted(() => summary.touch()), options);
  addEventListener("keydown", trusted((event: KeyboardEvent) => summary.key(event)), options);
  addEventListener("scroll", trusted(() => summary.scroll()), options);
  return () => {
    const ended = summary.end();
    summary = new Summary();
    return ended;
  };
}

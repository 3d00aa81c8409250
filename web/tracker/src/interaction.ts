// How the page is operated: counts and rhythms, never what is typed, clicked or read.

export interface Interaction {
  clicks: number;
  scriptedClicks: number;
  moves: number;
  touches: number;
  keys: number;
  scrolls: number;
  /** The distance between the ends of the pointer's path by its length: 1 is a straight line. */
  straightness?: number;
  keyIntervalMillis?: number;
  keyIntervalDeviationMillis?: number;
}

/** A pause that ends a path of the pointer, or a run of keys. */
const PAUSE_MS = 1_500;

class Summary {
  private counts = { clicks: 0, scriptedClicks: 0, moves: 0, touches: 0, keys: 0, scrolls: 0 };
  private path = { startX: 0, startY: 0, x: 0, y: 0, length: 0, at: 0 };
  private straight = 0;
  private travelled = 0;
  private intervals: number[] = [];
  private keyAt = 0;

  click(event: MouseEvent): void {
    this.counts[event.isTrusted ? "clicks" : "scriptedClicks"]++;
  }

  move(event: PointerEvent): void {
    if (event.pointerType === "touch") return;
    const { x, y, timeStamp } = event;
    const path = this.path;
    if (timeStamp - path.at > PAUSE_MS) {
      this.endPath();
      this.path = { startX: x, startY: y, x, y, length: 0, at: timeStamp };
    } else {
      path.length += Math.hypot(x - path.x, y - path.y);
      Object.assign(path, { x, y, at: timeStamp });
    }
    this.counts.moves++;
  }

  touch(): void {
    this.counts.touches++;
  }

  key(event: KeyboardEvent): void {
    if (event.repeat) return;
    const interval = event.timeStamp - this.keyAt;
    if (this.counts.keys > 0 && interval < PAUSE_MS && this.intervals.length < 200) this.intervals.push(interval);
    this.keyAt = event.timeStamp;
    this.counts.keys++;
  }

  scroll(): void {
    this.counts.scrolls++;
  }

  private endPath(): void {
    const { startX, startY, x, y, length } = this.path;
    this.straight += Math.hypot(x - startX, y - startY);
    this.travelled += length;
  }

  /** What has happened, if anything has. */
  end(): Interaction | undefined {
    this.endPath();
    if (Object.values(this.counts).every((count) => count === 0)) return undefined;
    const summary: Interaction = { ...this.counts };
    if (this.travelled > 0) summary.straightness = rounded(this.straight / this.travelled, 1_000);
    const count = this.intervals.length;
    if (count > 1) {
      const mean = this.intervals.reduce((sum, interval) => sum + interval, 0) / count;
      const variance = this.intervals.reduce((sum, interval) => sum + (interval - mean) ** 2, 0) / count;
      summary.keyIntervalMillis = rounded(mean, 10);
      summary.keyIntervalDeviationMillis = rounded(Math.sqrt(variance), 10);
    }
    return summary;
  }
}

function rounded(number: number, parts: number): number {
  return Math.round(number * parts) / parts;
}

/** Watches the page; the answer gives what has happened since it was last asked. */
export function observe(): () => Interaction | undefined {
  let summary = new Summary();
  const options = { capture: true, passive: true };
  addEventListener("click", (event) => summary.click(event), options);
  addEventListener("pointermove", (event) => summary.move(event), options);
  addEventListener("touchstart", () => summary.touch(), options);
  addEventListener("keydown", (event) => summary.key(event), options);
  addEventListener("scroll", () => summary.scroll(), options);
  return () => {
    const ended = summary.end();
    summary = new Summary();
    return ended;
  };
}

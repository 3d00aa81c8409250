// Events on their way: in order, many in one request, tried again until the server has them, and kept over a change of
// the page.

import { randomId, read, write, type Session } from "./session";

/** What waits beyond this is dropped, the oldest first. */
const WAITING_MAX = 100;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** Events that come together are sent in one go. */
const GATHER_MS = 50;
const BATCH_MAX_EVENTS = 20;
/** Browsers let 64 KiB outlive their page (the Fetch standard's limit for `keepalive`); other scripts may need some. */
const BATCH_MAX_BYTES = 60 * 1024;
/** What an event may be refused for that passes; everything else it is refused for is its own fault. */
const PASSING = ["rate_limited", "unavailable", "internal"];
const KEPT = "dregs.outbox";

/** What the server says of one event of a batch. */
interface Answer {
  code?: string;
}

interface Batch {
  events: string[];
  body: string;
  /** Whether it may outlive the page. */
  isLight: boolean;
}

export class Outbox {
  /** Each as it is sent; its id makes it the same however often that is. */
  private waiting: string[];
  /** Those of the waiting that are with the server now. */
  private underWay: string[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause = 0;

  constructor(
    private readonly url: string,
    private readonly key: string,
    private readonly session: Session,
  ) {
    this.waiting = kept();
    if (this.waiting.length > 0) this.sendIn(GATHER_MS);
    addEventListener("pagehide", () => this.leave());
    addEventListener("online", () => this.sendIn(0));
  }

  /** Adds an event. */
  put(type: string, more: Record<string, unknown>): void {
    const text = JSON.stringify({ id: randomId(), type, session: this.session.id, ...more });
    this.waiting.push(text);
    this.waiting.splice(0, this.waiting.length - WAITING_MAX);
    if (this.pause === 0) this.sendIn(GATHER_MS);
  }

  private sendIn(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), milliseconds);
  }

  private async send(): Promise<void> {
    if (this.underWay.length > 0) return;
    while (this.waiting.length > 0) {
      const batch = pack(this.waiting);
      this.underWay = batch.events;
      const { again, wait } = await this.post(batch);
      this.underWay = [];
      this.waiting = without(this.waiting, without(batch.events, again));
      if (again.length > 0) {
        this.pause = Math.min(Math.max(this.pause * 2, RETRY_MIN_MS), RETRY_MAX_MS);
        this.sendIn(Math.max(this.pause, wait));
        return;
      }
      this.pause = 0;
    }
  }

  /** Sends a batch; the answer has those of it that are to be sent again, and the milliseconds to wait before. */
  private async post({ events, body, isLight }: Batch): Promise<{ again: string[]; wait: number }> {
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { Authorization: `Bearer ${this.key}`, "Content-Type": "application/json" },
        body,
        credentials: "omit",
        keepalive: isLight,
      });
      const wait = Number(response.headers.get("Retry-After") ?? 0) * 1_000 || 0;
      if (response.status === 429 || response.status >= 500) return { again: events, wait };
      const answers = response.ok ? ((await response.json()) as Answer[]) : [];
      return { again: events.filter((_, place) => PASSING.includes(answers[place]?.code ?? "")), wait };
    } catch {
      return { again: events, wait: 0 };
    }
  }

  /** The page ends: what is not known to have arrived is sent by the next of this tab, once more or for once. */
  private leave(): void {
    write(KEPT, `[${this.waiting.join()}]`);
    const left = without(this.waiting, this.underWay);
    if (left.length > 0) void this.post(pack(left));
  }
}

/** The first events, as many as go into one request; one that is too large for any goes alone. */
function pack(events: string[]): Batch {
  let bytes = 1;
  let count = 0;
  for (const event of events.slice(0, BATCH_MAX_EVENTS)) {
    const size = new TextEncoder().encode(event).length + 1;
    if (count > 0 && bytes + size > BATCH_MAX_BYTES) break;
    bytes += size;
    count++;
  }
  const packed = events.slice(0, count);
  return { events: packed, body: `[${packed.join()}]`, isLight: bytes <= BATCH_MAX_BYTES };
}

function without(events: string[], gone: string[]): string[] {
  return events.filter((event) => !gone.includes(event));
}

function kept(): string[] {
  try {
    const events = JSON.parse(read(KEPT) ?? "[]") as unknown[];
    write(KEPT, "[]");
    return events.map((event) => JSON.stringify(event));
  } catch {
    return [];
  }
}

// Events on their way: in order, tried again until the server has them, and kept over a change of the page.

import { randomId, read, write, type Session } from "./session";

/** What waits beyond this is dropped, the oldest first. */
const WAITING_MAX = 100;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** Events that come together are sent in one go. */
const GATHER_MS = 50;
/** Events that are sent at once when the page ends. */
const LEAVING_MAX = 4;
const KEPT = "dregs.outbox";

export interface Event {
  id: string;
  type: string;
  [more: string]: unknown;
}

export class Outbox {
  private waiting: Event[];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause = 0;
  private isSending = false;

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

  /** Adds an event; its id makes it the same however often it is sent. */
  put(type: string, more: Record<string, unknown>): void {
    const event = { id: randomId(), type, session: this.session.id, ...more };
    this.waiting.push(event);
    this.waiting.splice(0, this.waiting.length - WAITING_MAX);
    if (this.pause === 0) this.sendIn(GATHER_MS);
  }

  private sendIn(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), milliseconds);
  }

  private async send(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    try {
      for (let event = this.waiting[0]; event; event = this.waiting[0]) {
        const wait = await this.post(event);
        if (wait !== undefined) {
          this.pause = Math.min(Math.max(this.pause * 2, RETRY_MIN_MS), RETRY_MAX_MS);
          this.sendIn(Math.max(this.pause, wait));
          return;
        }
        this.waiting = this.waiting.filter((other) => other !== event);
        this.pause = 0;
      }
    } finally {
      this.isSending = false;
    }
  }

  /** Sends one event; undefined when that is over, else the milliseconds the server asks to wait. */
  private async post(event: Event): Promise<number | undefined> {
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { Authorization: `Bearer ${this.key}`, "Content-Type": "application/json" },
        body: JSON.stringify(event),
        credentials: "omit",
        // It goes on when the page ends.
        keepalive: true,
      });
      if (response.status !== 429 && response.status < 500) return undefined;
      return Number(response.headers.get("Retry-After") ?? 0) * 1_000 || 0;
    } catch {
      return 0;
    }
  }

  /** The page ends: what is not known to have arrived is sent by the next of this tab, once more or for once. */
  private leave(): void {
    write(KEPT, JSON.stringify(this.waiting));
    if (!this.isSending) for (const event of this.waiting.slice(0, LEAVING_MAX)) void this.post(event);
  }
}

function kept(): Event[] {
  try {
    const events = JSON.parse(read(KEPT) ?? "[]") as Event[];
    write(KEPT, "[]");
    return Array.isArray(events) ? events : [];
  } catch {
    return [];
  }
}

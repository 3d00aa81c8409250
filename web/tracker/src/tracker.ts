// What the page's commands become: events with the device, the session and how the page was operated.

import { components, type Components } from "./device";
import type { Interaction } from "./interaction";
import type { Outbox } from "./outbox";
import type { Session } from "./session";

export interface Options {
  /** The public key of a credential, `pk_…`. */
  key: string;
  /** The server, unless it is the one the script comes from. */
  url?: string;
  /** Do nothing where the browser sends Global Privacy Control. */
  respectPrivacyControl?: boolean;
  /** Tell of pages that are opened without loading one; true unless said. */
  navigation?: boolean;
}

/** Events wait so long for the device at most. */
const DEVICE_MAX_MS = 5_000;

export class Tracker {
  private device: Components | undefined;
  private at = 0;
  private readonly ready: Promise<void>;
  /** Events in the order of the commands. */
  private last: Promise<void>;

  constructor(
    private readonly outbox: Outbox,
    private readonly session: Session,
    private readonly interaction: () => Interaction | undefined,
    options: Options,
  ) {
    const late = new Promise<void>((resolve) => setTimeout(resolve, DEVICE_MAX_MS));
    this.ready = Promise.race([late, loaded().then(() => this.look())]);
    this.last = this.ready;
    this.put("dregs_init", {});
    if (options.navigation !== false) this.follow();
  }

  identify(id: string, data?: Record<string, unknown>): void {
    if (typeof id !== "string" || id === "") return;
    this.session.identify(id);
    this.put("dregs_identify", {}, data);
  }

  track(type: string, data?: Record<string, unknown>): void {
    if (typeof type === "string" && type !== "") this.put(type, { data: data ?? {} });
  }

  private async look(): Promise<void> {
    try {
      this.device = await components();
    } catch {
      // Then there is no device, and events of somebody known are told all the same.
    }
  }

  private put(type: string, more: Record<string, unknown>, identityData?: Record<string, unknown>): void {
    const identity = this.session.identity;
    const user = identity === null ? {} : { identity: { id: identity, ...(identityData ? { data: identityData } : {}) } };
    // Those of one millisecond keep their order.
    this.at = Math.max(Date.now(), this.at + 1);
    const timestamp = new Date(this.at).toISOString();
    const url = location.origin + location.pathname;
    const tell = () => {
      if (!this.device && identity === null) return;
      const interaction = this.interaction();
      const device = this.device && { components: this.device, ...(interaction ? { interaction } : {}) };
      this.outbox.put(type, { timestamp, url, ...user, ...(device ? { device } : {}), ...more });
    };
    // What JSON cannot say is not told; what comes after it is.
    this.last = this.last.then(tell).catch(() => undefined);
  }

  /** Pages that are opened by the page's own script. */
  private follow(): void {
    let path = location.pathname;
    const look = () => {
      if (location.pathname === path) return;
      path = location.pathname;
      this.put("page_view", {});
    };
    for (const name of ["pushState", "replaceState"] as const) {
      const original = history[name];
      history[name] = function (this: History, ...values: Parameters<History["pushState"]>) {
        original.apply(this, values);
        setTimeout(look);
      };
    }
    addEventListener("popstate", look);
  }
}

/** When the page is there and has time. */
function loaded(): Promise<void> {
  return new Promise((resolve) => {
    const idle = () => ("requestIdleCallback" in window ? requestIdleCallback(() => resolve(), { timeout: 1_000 }) : setTimeout(resolve, 1));
    if (document.readyState === "complete") idle();
    else addEventListener("load", idle, { once: true });
  });
}

// dregs.js: tells dregs what users do and on which device, by the commands of the page:
//
//   <script>window.dregs = window.dregs || function () { (dregs.q = dregs.q || []).push(arguments) }</script>
//   <script async src="https://dregs.example.com/dregs.js"></script>
//   <script>dregs('init', { key: 'pk_…' }); dregs('identify', 'user_1'); dregs('track', 'purchase', { total: 12 })</script>
//
// Once it is loaded the same commands are there as functions: dregs.init, dregs.identify, dregs.track. Nothing it
// does may harm the page: it throws nothing, and is silent where dregs cannot be reached.

import { observe } from "./interaction";
import { Outbox } from "./outbox";
import { Session } from "./session";
import { Tracker, type Options } from "./tracker";

type Data = Record<string, unknown>;
type Arguments = ArrayLike<unknown>;

interface Dregs {
  (command: string, ...values: unknown[]): void;
  init(options: Options): void;
  identify(id: string, data?: Data): void;
  track(type: string, data?: Data): void;
  /** Commands from before the script was loaded. */
  q?: Arguments[];
}

/** Where the script came from: its server is the one to tell. */
const origin = (() => {
  const source = (document.currentScript as HTMLScriptElement | null)?.src;
  return source ? new URL(source).origin : location.origin;
})();

let tracker: Tracker | undefined;
const waiting: ((tracker: Tracker) => void)[] = [];

function withTracker(act: (tracker: Tracker) => void): void {
  if (tracker) {
    act(tracker);
  } else if (waiting.length < 100) {
    // Whatever comes before init waits for it.
    waiting.push(act);
  }
}

function init(options: Options): void {
  if (tracker || !options || typeof options.key !== "string") return;
  const asks = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;
  if (options.respectPrivacyControl && asks) return;
  const session = new Session();
  const outbox = new Outbox(`${options.url ?? origin}/api/events/batch`, options.key, session);
  tracker = new Tracker(outbox, session, observe(), options);
  for (const act of waiting.splice(0)) act(tracker);
}

const commands: Record<string, (...values: never[]) => void> = {
  init,
  identify: (id: string, data?: Data) => withTracker((tracker) => tracker.identify(id, data)),
  track: (type: string, data?: Data) => withTracker((tracker) => tracker.track(type, data)),
};

function run(values: Arguments): void {
  try {
    const [name, ...rest] = Array.from(values);
    commands[String(name)]?.(...(rest as never[]));
  } catch {
    // A page goes on whatever it told us.
  }
}

const before = (window as { dregs?: Dregs }).dregs;
const dregs = ((...values: unknown[]) => run(values)) as Dregs;
for (const name of Object.keys(commands)) {
  Object.assign(dregs, { [name]: (...values: unknown[]) => run([name, ...values]) });
}
Object.assign(window, { dregs });
const queued = before?.q ?? [];
// The order of the page's commands need not be that of its scripts.
for (const values of queued) if (values[0] === "init") run(values);
for (const values of queued) if (values[0] !== "init") run(values);

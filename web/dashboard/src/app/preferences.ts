// How times are shown: in which zone, and by the customs of which language. Kept in this browser.

const KEY = "dregs.times";
/** A space at which no line ends. */
export const NO_BREAK = "\u00a0";

export interface Preferences {
  /** "" for the browser's. */
  timeZone: "" | "UTC";
  /** A tag of BCP 47; "" for the browser's. */
  locale: string;
}

const NONE: Preferences = { timeZone: "", locale: "" };

function read(): Preferences {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>;
    const locale = typeof kept.locale === "string" && isLocale(kept.locale) ? kept.locale : "";
    return { timeZone: kept.timeZone === "UTC" ? "UTC" : "", locale };
  } catch {
    return NONE;
  }
}

function isLocale(tag: string): boolean {
  try {
    return tag === "" || Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}

let now = read();
const formats = new Map<string, Intl.DateTimeFormat>();

export function preferences(): Preferences {
  return now;
}

export function prefer(change: Partial<Preferences>): void {
  now = { ...now, ...change };
  formats.clear();
  try {
    localStorage.setItem(KEY, JSON.stringify(now));
  } catch {
    // Without storage they last as long as the page.
  }
}

/** The zone that times are shown in. */
export function zone(): string {
  return now.timeZone || Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Whether times are shown in UTC. */
export function isUtc(): boolean {
  return now.timeZone === "UTC";
}

/** A time, or a part of it, as preferred. */
export function formatted(time: string | number | Date, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    const { timeZone, locale } = now;
    format = new Intl.DateTimeFormat(locale || undefined, { ...options, ...(timeZone && !options.timeZone ? { timeZone } : {}) });
    formats.set(key, format);
  }
  return unbroken(format.format(new Date(time)));
}

/**
 * "10:42:23 AM" is one word wherever it stands, and so is the day: a line may end between the two only.
 */
function unbroken(text: string): string {
  return text.replaceAll(/\s(?!\S*\d[:.]\d\d)/g, NO_BREAK);
}

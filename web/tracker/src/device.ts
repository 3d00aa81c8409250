// What the browser says of the device it runs on. The server derives the fingerprint, from what belongs to the
// device; the rest shows whether a person or a program sits in front of it.

import { load as loadBotDetector } from "@fingerprintjs/botd";
import { loadSources, murmurX64Hash128, sources } from "@fingerprintjs/fingerprintjs";
import { breathe } from "./breathe";
import { fonts } from "./fonts";
import { graphics, type Graphics } from "./graphics";
import { tampered } from "./tampered";

export type Components = Record<string, unknown>;

/** What stays with a device over private windows, cleared storage and updates of the browser. */
const TRAITS = [
  "architecture", "audio", "canvas", "colorDepth", "colorGamut", "cpuClass", "deviceMemory",
  "hardwareConcurrency", "math", "osCpu", "platform", "screenResolution", "touchSupport", "vendor",
] as const;

/** Longer values are sent as their hash. */
const VALUE_MAX_CHARS = 64;

/** Names that software which drives a browser leaves in the page. */
const LEFT_BEHIND =
  /^(?:\$?cdc_|\$chrome_asyncScriptInfo|__(?:webdriver|selenium|fxdriver|driver)_|__(?:playwright|pw|puppeteer)|_?(?:phantom|Selenium)|callPhantom|callSelenium|_selenium|domAutomation|__nightmare|emit$)/;

function ownNames(): string[] {
  const names = [window, document].flatMap((place) => Object.getOwnPropertyNames(place));
  const root = document.documentElement.getAttributeNames().filter((name) => /^(?:webdriver|selenium|driver)$/.test(name));
  return [...names.filter((name) => LEFT_BEHIND.test(name)), ...root].slice(0, 10);
}

async function traits(): Promise<Components> {
  const found: Components = {};
  const put = (name: string, value: unknown) => {
    if (value !== undefined) found[name] = short(value);
  };
  for (const name of TRAITS) {
    await breathe();
    const read = loadSources({ [name]: sources[name] }, { cache: {}, debug: false }, []);
    put(name, ((await read())[name] as { value?: unknown } | undefined)?.value);
  }
  await breathe();
  put("fonts", await fonts().catch(() => undefined));
  await breathe();
  const { card, driver }: Graphics = await graphics().catch(() => ({}));
  put("webGlExtensions", driver);
  return { ...found, ...card };
}

/** A value as it is sent. */
function short(value: unknown): unknown {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (text.length > VALUE_MAX_CHARS) return murmurX64Hash128(text);
  return typeof value === "object" ? text : value;
}

async function automation(): Promise<string[]> {
  const found = ownNames();
  try {
    const detector = await loadBotDetector();
    const verdict = detector.detect();
    if (verdict.bot) found.push(`botd:${verdict.botKind}`);
  } catch {
    // It says nothing of this browser.
  }
  return found;
}

/** Everything that is sent of the device. */
export async function components(): Promise<Components> {
  const own = await traits();
  await breathe();
  return {
    ...own,
    automation: await automation(),
    languages: navigator.languages,
    maxTouchPoints: navigator.maxTouchPoints,
    outerHeight: outerHeight,
    outerWidth: outerWidth,
    plugins: navigator.plugins?.length ?? 0,
    screenHeight: screen.height,
    screenWidth: screen.width,
    tampered: tampered(),
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    userAgent: navigator.userAgent,
    webdriver: navigator.webdriver === true,
  };
}

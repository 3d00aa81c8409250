// What the browser says of the device it runs on. The server derives the fingerprint, from what belongs to the
// device; the rest shows whether a person or a program sits in front of it.

import { load as loadBotDetector } from "@fingerprintjs/botd";
import { getWebGLContext, loadSources, murmurX64Hash128, sources } from "@fingerprintjs/fingerprintjs";

export type Components = Record<string, unknown>;

/** What stays with a device over private windows, cleared storage and updates of the browser. */
const TRAITS = [
  "architecture", "audio", "canvas", "colorDepth", "colorGamut", "cpuClass", "deviceMemory", "fonts",
  "hardwareConcurrency", "math", "osCpu", "platform", "screenResolution", "touchSupport", "vendor",
  "webGlExtensions",
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

function webGl(): Components {
  const context = getWebGLContext(cache);
  const names = context?.getExtension("WEBGL_debug_renderer_info");
  if (!context || !names) return {};
  return {
    webglVendor: context.getParameter(names.UNMASKED_VENDOR_WEBGL) as unknown,
    webglRenderer: context.getParameter(names.UNMASKED_RENDERER_WEBGL) as unknown,
  };
}

/** Shared by those that need graphics. */
const cache = {};

/** Ends a task of the browser, so that the page can act in between. */
const breathe = () => new Promise<void>((resolve) => setTimeout(resolve));

async function traits(): Promise<Components> {
  const found: Components = {};
  for (const name of TRAITS) {
    await breathe();
    const read = loadSources({ [name]: sources[name] }, { cache, debug: false }, []);
    const component = (await read())[name] as { value?: unknown } | undefined;
    const value = component?.value;
    if (value === undefined) continue;
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    found[name] = text.length > VALUE_MAX_CHARS ? murmurX64Hash128(text) : typeof value === "object" ? text : value;
  }
  return found;
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
  Object.assign(own, webGl());
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
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    userAgent: navigator.userAgent,
    webdriver: navigator.webdriver === true,
  };
}

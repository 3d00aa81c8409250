// Which of the browser's own answers somebody has replaced: tools that disguise a browser do so, and so do some for
// privacy.

const NAMES = {
  navigator: [
    "deviceMemory", "hardwareConcurrency", "languages", "maxTouchPoints", "platform", "plugins", "userAgent", "vendor",
    "webdriver",
  ],
  screen: ["height", "width"],
};

function isNative(method: unknown): boolean {
  return /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(method));
}

/** Whether a property is set on the object itself, or has a getter that is not the browser's: theirs refuse to answer for
 * their prototype. */
function isReplaced(object: object, name: string): boolean {
  if (Object.prototype.hasOwnProperty.call(object, name)) return true;
  const prototype = Object.getPrototypeOf(object) as object;
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  if (!get) return false;
  if (!isNative(get)) return true;
  try {
    return get.call(prototype) !== undefined;
  } catch {
    return false;
  }
}

/** The names of those that are not the browser's own. */
export function tampered(): string[] {
  const found = Object.entries(NAMES).flatMap(([place, names]) => {
    const object = window[place as keyof typeof NAMES];
    return names.filter((name) => isReplaced(object, name)).map((name) => `${place}.${name}`);
  });
  const drawing = [HTMLCanvasElement.prototype.toDataURL, CanvasRenderingContext2D.prototype.getImageData];
  if (!drawing.every(isNative)) found.push("canvas");
  if (window.WebGLRenderingContext && !isNative(WebGLRenderingContext.prototype.getParameter)) found.push("webgl");
  return found;
}

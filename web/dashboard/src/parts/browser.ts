// What a user agent says of a browser, in words.

import Bowser from "bowser";

/** "Firefox 145 · Linux"; a user agent that no browser has, as it is. */
export function browserOf(userAgent: string): string {
  const { browser, os } = Bowser.parse(userAgent);
  if (!browser.name) return userAgent;
  const name = [browser.name, browser.version?.split(".")[0]].filter(Boolean).join(" ");
  return [name, os.name].filter(Boolean).join(" · ");
}

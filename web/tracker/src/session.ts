// What is remembered while the tab is open, in sessionStorage: no cookies, and nothing beyond the tab.

const SESSION = "dregs.session";
const IDENTITY = "dregs.identity";

/** A random id of 32 hexadecimal digits. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The value, or null where the browser keeps none for this page. */
export function read(name: string): string | null {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

export function write(name: string, value: string): void {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // Then it is remembered until the page ends.
  }
}

export class Session {
  readonly id: string;
  /** Who the user is, once the page has said so. */
  identity: string | null;

  constructor() {
    this.id = read(SESSION) ?? randomId();
    write(SESSION, this.id);
    this.identity = read(IDENTITY);
  }

  identify(id: string): void {
    this.identity = id;
    write(IDENTITY, id);
  }
}

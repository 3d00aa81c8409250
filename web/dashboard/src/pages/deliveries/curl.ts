// A request as a command for a shell.

/** Set by curl itself. */
const OWN_HEADERS = ["content-length", "host", "connection"];

/** Text as one word of a shell, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A header as curl takes it: one without a value ends with a semicolon, or curl would leave it out. */
function header([name, value]: [string, string]): string {
  return `-H ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`;
}

/** Sends the body exactly as it was sent: `--data-raw` reads no file, and `--globoff` takes the URL as it is. */
export function curl(url: string, headers: Record<string, string>, body: string): string {
  const sent = Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name.toLowerCase()));
  return [`curl --globoff ${quoted(url)}`, ...sent.map(header), `--data-raw ${quoted(body)}`].join(" \\\n  ");
}

// What the fields of the API are called in the forms here.

const NAMES: Record<string, string> = {
  "": "", name: "The name", slug: "The slug", type: "The type", events: "Event types", email: "The e-mail address", password: "The password",
  "config.url": "The URL", "config.headers": "Headers", "config.timeoutMs": "The deadline", "config.maxConcurrency": "Requests at once",
  "config.ratePerSecond": "Requests in a second", "config.ordered": "“In order”", "config.coalesce": "“Only the newest score”",
  "config.recipients": "Recipients", "config.mailsPerMinute": "Letters in a minute", allowedOrigins: "Allowed origins", ratePerSecond: "The rate",
  currentPassword: "The current password", newPassword: "The new password", role: "The role", value: "The value", source: "The name",
  target: "The meaning", from: "The time it begins at", to: "The time it ends at", conditions: "The conditions", channels: "The channels",
  severity: "The severity", threshold: "The threshold", seconds: "The time", category: "The category", badge: "The badge",
  applyDelaySeconds: "The delay before it is given", removeDelaySeconds: "The delay before it is taken", openAfterSeconds: "The delay before it opens",
  closeAfterSeconds: "The delay before it closes", effectiveAt: "The time it takes effect", priority: "The priority", feedback: "The feedback",
  httpStatus: "The HTTP status", errorClass: "The kind of error", sort: "The order", pageSize: "The length of a page", pageNumber: "The page",
  attributes: "The attributes", status: "The status", id: "The id",
};

/** What people read for a field that the API names: `config.url`, `conditions[1].threshold`. */
export function fieldName(field: string): string {
  const plain = field.replaceAll(/\[\d+\]/g, "");
  const place = /\[(\d+)\]/.exec(field)?.[1];
  const known = NAMES[plain] ?? NAMES[plain.replace(/^.*\./, "")] ?? headerName(plain) ?? field;
  return place === undefined ? known : `${known} (number ${Number(place) + 1})`;
}

function headerName(field: string): string | undefined {
  const name = /^config\.headers\.(.+)$/.exec(field)?.[1];
  return name && `The header ${name}`;
}

/** With a full stop at its end. */
export function sentence(text: string): string {
  const full = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(full) ? full : `${full}.`;
}

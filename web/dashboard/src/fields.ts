// What the fields of the API are called in the forms here.

const NAMES: Record<string, string> = {
  "": "", name: "The name", slug: "The slug", type: "The type", events: "Subscribed events", email: "The e-mail address", password: "The password",
  "config.url": "The URL", "config.headers": "Headers", "config.timeoutMs": "The timeout", "config.maxConcurrency": "“Concurrent requests”",
  "config.ratePerSecond": "“Requests per second”", "config.ordered": "“Ordered delivery”", "config.coalesce": "“Coalesce scores”",
  "config.recipients": "Recipients", "config.mailsPerMinute": "“E-mails per minute”", allowedOrigins: "Allowed origins", ratePerSecond: "“Requests per second”",
  currentPassword: "The current password", newPassword: "The new password", role: "The role", code: "The code", value: "The value", source: "The name",
  target: "The canonical type", canonicalType: "The canonical type", from: "“From”", to: "“To”", range: "The time range", conditions: "The conditions",
  channels: "“Channels to notify”", severity: "The severity", threshold: "The threshold", seconds: "The time", category: "The category", badge: "The badge",
  applyDelaySeconds: "“Add after”", removeDelaySeconds: "“Remove after”", openAfterSeconds: "“Open after”", closeAfterSeconds: "“Close after”",
  effectiveAt: "“Effective from”", addsToLists: "“Adds to lists”", list: "The list", what: "What is added", forSeconds: "How long", priority: "The priority", feedback: "The feedback", httpStatus: "The HTTP status", errorClass: "The kind of error",
  sort: "The order", pageSize: "The length of a page", pageNumber: "The page", attributes: "The attributes", status: "The status", id: "The id",
  client_id: "The client", redirect_uri: "The redirect URI", note: "The note", reason: "The reason", term: "The search", identity: "The identity id", group: "The group id", groupType: "The group type",
  device: "The device fingerprint", disregarded: "“Disregarded or not”", scope: "“Custom and built-in”", rule: "The rule", outcome: "The outcome", kind: "The kind", ids: "The chosen deliveries",
};

/** What people read for a field that the API names: `config.url`, `conditions[1].threshold`. */
export function fieldName(field: string): string {
  const plain = field.replaceAll(/\[\d+\]/g, "");
  const place = /\[(\d+)\]/.exec(field)?.[1];
  const known = NAMES[plain] ?? NAMES[plain.replace(/^.*\./, "")] ?? headerName(plain) ?? endName(plain) ?? field;
  return place === undefined ? known : `${known} (number ${Number(place) + 1})`;
}

function headerName(field: string): string | undefined {
  const name = /^config\.headers\.(.+)$/.exec(field)?.[1];
  return name && `The header ${name}`;
}

/** "humanityMin" as on the button of the filter: “Humanity from”. */
function endName(field: string): string | undefined {
  const [, category, end] = /^([a-z]+)(Min|Max)$/.exec(field) ?? [];
  return category && `“${category.charAt(0).toUpperCase()}${category.slice(1)} ${end === "Min" ? "from" : "to"}”`;
}

/** How a message begins that goes on from the name of its field; another is a sentence of its own. */
const GOES_ON = /^(must|is|are|was|were|has|have|may|can|cannot|needs|names|goes|holds|leads|does|should|takes|begins|starts|ends)\b/;

/** "The URL must be…", "The URL: 10.0.0.1 is…". */
export function fieldWords(field: string, message: string): string {
  const name = fieldName(field);
  if (name === "") return message;
  return GOES_ON.test(message) ? `${name} ${message}` : `${name}: ${message}`;
}

/** With a full stop at its end. */
export function sentence(text: string): string {
  const full = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(full) ? full : `${full}.`;
}

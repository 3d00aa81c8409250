// What the form of a channel holds, and what the API takes of it.

import type { Schemas } from "../../api";
import { counted } from "../../parts/counts";
import { word } from "../../parts/score";
import type { Condition } from "../rules/condition";
import { row, type Row } from "../rules/draft";

export type Channel = Schemas["ChannelBody"];
type Config = Schemas["ConfigBody"];
type Webhook = Schemas["WebhookConfigBody"];
type Email = Schemas["EmailConfigBody"];
type Scored = Schemas["ScoredBody"];
type Slack = Schemas["SlackConfigBody"];

export const TYPES = [
  { value: "WEBHOOK", label: "Webhook", note: "Signed requests to your endpoint." },
  { value: "EMAIL", label: "E-mail", note: "E-mails to people; many at once become a digest." },
  { value: "SLACK", label: "Slack", note: "Messages in a Slack channel." },
];

/** What may be left to the server. */
type Count = number | "";

export interface ChannelValues {
  type: string;
  name: string;
  events: string[];
  url: string;
  headers: { name: string; value: string }[];
  timeoutMs: Count;
  maxConcurrency: Count;
  ratePerSecond: Count;
  ordered: boolean;
  coalesce: boolean;
  payload: string;
  conditions: Row[];
  /** Which scores are sent: ALWAYS, CHANGED or CROSSED. */
  when: string;
  by: Count;
  threshold: Count;
  category: string;
  recipients: string[];
  mailsPerMinute: Count;
}

const NEW: ChannelValues = {
  type: "WEBHOOK", name: "", events: [], url: "", headers: [], timeoutMs: "", maxConcurrency: "", ratePerSecond: "",
  ordered: false, coalesce: false, payload: "FULL", conditions: [], when: "ALWAYS", by: 5, threshold: 50, category: "ANY",
  recipients: [], mailsPerMinute: "",
};

/** What the form begins with. */
export function valuesOf(channel: Channel | undefined): ChannelValues {
  if (!channel) return NEW;
  const { type, name, events, conditions, scored } = channel;
  // The type of the channel says which of the three its configuration is.
  const { headers, timeoutMs, maxConcurrency, ratePerSecond, ordered, coalesce, payload, url } = channel.config as Partial<Webhook>;
  const { recipients, mailsPerMinute } = channel.config as Partial<Email>;
  return {
    type,
    name,
    events,
    url: url ?? "",
    headers: Object.entries(headers ?? {}).map(([name, value]) => ({ name, value })),
    timeoutMs: timeoutMs ?? "",
    maxConcurrency: maxConcurrency ?? "",
    ratePerSecond: ratePerSecond ?? "",
    ordered: ordered ?? false,
    coalesce: coalesce ?? false,
    payload: payload ?? NEW.payload,
    conditions: conditions.map(row),
    when: scored.when,
    by: scored.by ?? NEW.by,
    threshold: scored.threshold ?? NEW.threshold,
    category: scored.category ?? NEW.category,
    recipients: recipients ?? [],
    mailsPerMinute: mailsPerMinute ?? "",
  };
}

const count = (value: Count) => (value === "" ? null : value);

/** The configuration that the form says. */
export function configOf(values: ChannelValues): Config {
  const url = values.url.trim();
  if (values.type === "SLACK") return { url } satisfies Slack;
  if (values.type === "EMAIL") {
    return { recipients: values.recipients, mailsPerMinute: count(values.mailsPerMinute) } satisfies Email;
  }
  const named = values.headers.filter(({ name }) => name.trim() !== "");
  return {
    url,
    headers: named.length === 0 ? null : Object.fromEntries(named.map(({ name, value }) => [name.trim(), value])),
    timeoutMs: count(values.timeoutMs),
    maxConcurrency: count(values.maxConcurrency),
    ratePerSecond: count(values.ratePerSecond),
    ordered: values.ordered,
    coalesce: values.coalesce,
    payload: values.payload,
  } satisfies Webhook;
}

export const SCORED = "IDENTITY_SCORED";

/** What the form says is sent of what is subscribed to. */
export function filterOf({ conditions, when, by, threshold, category, events }: ChannelValues): { conditions: Condition[]; scored: Scored } {
  return { conditions: conditions.map(({ condition }) => condition), scored: scoredOf(events.includes(SCORED) ? when : "ALWAYS", by, threshold, category) };
}

function scoredOf(when: string, by: Count, threshold: Count, category: string): Scored {
  if (when === "CHANGED") return { when, by: count(by), category };
  if (when === "CROSSED") return { when, threshold: count(threshold), category };
  return { when };
}

/** What a channel sends, in a sentence; nothing for one that sends all it is subscribed to. */
export function filterInWords({ conditions, scored }: { conditions: Condition[]; scored: Scored }, conditionInWords: (condition: Condition) => string): string {
  const which = scored.category == null || scored.category === "ANY" ? "any of the four" : word(scored.category);
  const scores: Record<string, string> = {
    CHANGED: `Sends a score when ${which} has moved by at least ${scored.by ?? "…"} since the last one sent`,
    CROSSED: `Sends a score when ${which} crosses ${scored.threshold ?? "…"}, either way`,
  };
  const words = conditions.map(conditionInWords).join(" and ");
  const whom = words && `of identities for which this holds: ${words}`;
  const sent = scores[scored.when];
  if (sent) return `${sent}${words && `, and any event only ${whom}`}.`;
  return whom && `Sends events only ${whom}.`;
}

/** Where a channel leads, in a few words. */
export function target(channel: Channel): string {
  if (channel.type === "EMAIL") return (channel.config as Email).recipients.join(", ");
  return (channel.config as Webhook | Slack).url;
}

/** What a webhook is set to besides its address. */
export function webhookFacts(channel: Channel): [name: string, value: string][] {
  const config = channel.config as Webhook;
  const facts: [string, string | number | null | undefined][] = [
    ["Headers", Object.keys(config.headers ?? {}).join(", ")],
    ["Timeout", config.timeoutMs && `${config.timeoutMs}\u00A0ms`],
    ["Concurrency", config.maxConcurrency && counted(config.maxConcurrency, "request")],
    ["Rate limit", config.ratePerSecond && counted(config.ratePerSecond, "request per second", "requests per second")],
    ["Order", config.ordered ? "events of an identity one after the other" : ""],
    ["Payload", config.payload === "THIN" ? "ids only" : ""],
    ["Coalescing", config.coalesce ? "a newer score replaces pending ones" : ""],
  ];
  return facts.flatMap(([name, value]): [string, string][] => (value ? [[name, String(value)]] : []));
}

// What the names of the delivery log mean.

/** Why an attempt is made. */
export const TRIGGERS: Record<string, string> = {
  INITIAL: "The first attempt.",
  RETRY: "Tried again after a failure.",
  RESEND: "Sent again by hand.",
  REPLAY: "Sent again with a time range.",
  TEST: "A test of the channel.",
  PROBE: "The channel was left alone; this attempt saw whether it works again.",
  RECOVERY: "The server stopped during the attempt before, whose outcome is not known.",
};

/** What kind of failure it was. */
export const ERRORS: Record<string, string> = {
  dns: "The name could not be resolved",
  egress_blocked: "The address is not allowed",
  connect: "No connection could be opened",
  tls: "The certificate or its TLS was refused",
  timeout: "The deadline passed",
  redirect: "The endpoint answered with a redirect, and none is followed",
  http_status: "The endpoint refused it",
  connection_closed: "The connection ended before the answer did",
  protocol: "What came back is no HTTP, or more of it than is read",
  smtp_reply: "The mail server refused the letter",
  skipped: "It was skipped when the channel was enabled again",
  superseded: "A newer score of the identity was sent instead",
  held: "The endpoint was down for too long; replay it when it works again",
  gone: "What it would have told is gone",
};

/** What the states of a delivery mean. */
export const STATES: Record<string, string> = {
  PENDING: "It is due or under way.",
  DELIVERED: "It has arrived.",
  FAILED: "It was given up. It can be sent again.",
  PAUSED: "It waits until its channel is enabled again.",
  SUPERSEDED: "A newer score of the same identity has replaced it.",
};

/** "1.2 kB". */
export function size(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(1)} kB`;
}

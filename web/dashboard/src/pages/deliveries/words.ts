// What the names of the delivery log mean.

/** Why an attempt is made. */
export const TRIGGERS: Record<string, string> = {
  INITIAL: "First attempt.",
  RETRY: "Retry after a failure.",
  RESEND: "Resent manually.",
  REPLAY: "Replayed with a time range.",
  TEST: "Test of the channel.",
  PROBE: "The channel was failing, and its deliveries were held; this attempt tested whether it works again.",
  RECOVERY: "The server stopped during the previous attempt, whose outcome is unknown.",
};

/** What kind of failure it was. */
export const ERRORS: Record<string, string> = {
  dns: "The name could not be resolved",
  egress_blocked: "The address is not allowed",
  connect: "No connection could be opened",
  tls: "TLS or certificate error",
  timeout: "Timeout",
  redirect: "The endpoint answered with a redirect, and none is followed",
  http_status: "The endpoint rejected it",
  connection_closed: "The connection ended before the answer did",
  protocol: "What came back is no HTTP, or more of it than is read",
  smtp_reply: "The mail server rejected the e-mail",
  skipped: "Skipped when the channel was enabled again",
  superseded: "A newer score of the identity was sent instead",
  held: "Held for too long; replay it when the channel works again",
  gone: "Its content was deleted",
};

/** What the states of a delivery mean. */
export const STATES: Record<string, string> = {
  PENDING: "Due.",
  DELIVERED: "Accepted by the receiver.",
  FAILED: "No further attempts.",
  PAUSED: "Sent when its channel is enabled again.",
  SUPERSEDED: "Replaced by a newer score of the same identity.",
};

/** What a delivery waits for, if not for its first attempt, in the words of the API. */
export const WAITS: Record<string, { word: string; note: string }> = {
  SENDING: { word: "Being sent", note: "An attempt is under way, or begins in a moment." },
  RETRYING: { word: "Retrying", note: "It has failed so far, and is tried again." },
  HELD: { word: "Held", note: "Its channel is failing, and it waits until that works again." },
};

/** What the filters by state let through that others do, too. */
export const OVERLAPS: Record<string, string> = {
  PENDING: "All that is not sent yet: due, being sent, retrying or held.",
  RETRYING: "Failed so far, and tried again. While the channel is failing, these are shown as held.",
  HELD: "All that is not sent yet while the channel is failing: due or retrying.",
};

/** "1.2 kB". */
export function size(bytes: number): string {
  return bytes < 1_000 ? `${bytes}\u00A0B` : `${(bytes / 1_000).toFixed(1)}\u00A0kB`;
}

// What keeps a delivery from being sent, in words.

import { tell, type Schemas } from "../../api";
import { formatted } from "../../app/preferences";
import { offer } from "../../parts/offer";
import { RETRY, retryNow } from "./Retry";

type Delivery = Pick<Schemas["DeliveryBody"], "channelId" | "status" | "waitsFor" | "nextAttemptAt">;

/** Until what is sooner than this, seconds matter. */
const SOON_MS = 120_000;

/** After "Held": "until 5:02 PM, since the channel is failing." */
export function heldWords({ nextAttemptAt: until }: Pick<Delivery, "nextAttemptAt">): string {
  const wait = until ? Date.parse(until) - Date.now() : 0;
  if (!until || wait <= 0) return "since the channel is failing: one attempt is made at a time.";
  return `until ${formatted(until, { timeStyle: wait < SOON_MS ? "medium" : "short" })}, since the channel is failing.`;
}

/** Says what has become of what was to be sent again: perhaps it waits, and can be sent now. */
export function tellSent(message: string, delivery: Delivery): void {
  const { channelId, status, waitsFor } = delivery;
  if (status === "PAUSED") return tell(`${message} Paused until the channel is enabled again.`);
  if (waitsFor !== "HELD") return tell(message);
  offer(`${message} Held ${heldWords(delivery)}`, RETRY, () => retryNow(channelId));
}

import type { Schemas } from "../../api";
import { Chip, StatusChip } from "../../parts/Chip";
import { WAITS } from "./words";

/** How far a delivery has come, and what it waits for. */
export function DeliveryStatus({ delivery: { status, waitsFor } }: { delivery: Pick<Schemas["DeliveryBody"], "status" | "waitsFor"> }) {
  const wait = waitsFor ? WAITS[waitsFor] : undefined;
  return wait ? <Chip tone={1}>{wait.word}</Chip> : <StatusChip status={status} />;
}

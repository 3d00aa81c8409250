import { Chip, type Tone } from "../../parts/Chip";
import { outcomeWords } from "./words";

const TONES: Record<string, Tone> = { GOOD: 3, BAD: 0 };

/** What people have decided of an identity; nothing where they have not. */
export function OutcomeChip({ outcome }: { outcome: string | null | undefined }) {
  return outcome ? <Chip tone={TONES[outcome]}>{outcomeWords(outcome)}</Chip> : null;
}

// The label of an identity that counts, in a line below its name.

import { Group, Text } from "@mantine/core";
import type { Schemas } from "../../api";
import { CATEGORIES, word } from "../../parts/score";
import { Time } from "../../parts/Time";
import { OutcomeChip } from "./OutcomeChip";
import { Withdraw } from "./Withdraw";
import { kindWords, sourceWords } from "./words";

export function LabelLine({ label }: { label: Schemas["IdentityLabelBody"] }) {
  const { id, outcome, kind, source, at, author, reason, settled } = label;
  const of = kindWords(kind);
  const from = sourceWords(source);
  return (
    <Group gap="xs" role="group" aria-label="Label">
      <OutcomeChip outcome={outcome} />
      {of && <Text fz="sm" fw={600}>{of}</Text>}
      <Text fz="sm" className="break">
        by {author}{from && ` (${from})`}, <Time at={at} />{reason && <>: {reason}</>}
      </Text>
      <Withdraw id={id} />
      {outcome === "GOOD" && <Text fz="sm" c="dimmed" className="break">{settledWords(settled)}</Text>}
    </Group>
  );
}

/** What a good label holds off, and where new evidence counts again. */
function settledWords(settled: string[]): string {
  const left = CATEGORIES.filter((category) => !settled.includes(category));
  if (left.length === 0) return "Settled in all four categories: nothing new was found since.";
  const names = (categories: readonly string[]) => categories.map(word).join(", ");
  const since = `New evidence since then in ${names(left)}: rules count there again.`;
  return settled.length === 0 ? since : `Settled in ${names(settled)}. ${since}`;
}

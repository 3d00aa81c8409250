// Small words and numbers on a coloured ground. The colour never says what the text does not.

import { Tooltip, VisuallyHidden } from "@mantine/core";
import type { ReactNode } from "react";
import type { Schemas } from "../api";
import { band, QUESTIONS, word, type Category } from "./score";

/** 0 bad, 1 doubtful, 2 waiting, 3 good; nothing: neutral. */
export type Tone = 0 | 1 | 2 | 3;

export function Chip({ tone, children }: { tone?: Tone; children: ReactNode }) {
  return <span className="chip" data-tone={tone}>{children}</span>;
}

export function ScoreChip({ category, value }: { category: Category; value: number | null }) {
  const name = word(category);
  const label = value === null ? `${name}: not scored yet` : `${name} ${value}. ${QUESTIONS[category]}`;
  return (
    <Tooltip label={label}>
      <span className="chip" data-kind="score" data-tone={value === null ? undefined : band(value)}>
        <span aria-hidden>{value ?? "–"}</span>
        <VisuallyHidden>{value === null ? `${name} not scored` : `${name} ${value}`}</VisuallyHidden>
      </span>
    </Tooltip>
  );
}

const BADGE_TONES: Record<string, Tone> = { BAD: 0, GOOD: 3 };

export function BadgeChip({ badge }: { badge: Schemas["BadgeBody"] }) {
  return (
    <Tooltip label={badge.explanation} multiline maw={360}>
      <span className="chip" data-tone={BADGE_TONES[badge.type]} tabIndex={0}>{badge.name}</span>
    </Tooltip>
  );
}

/** The first of somebody's badges, and how many more there are. */
export function Badges({ badges, most = 2 }: { badges: Schemas["BadgeBody"][]; most?: number }) {
  if (badges.length === 0) return null;
  const rest = badges.slice(most);
  return (
    <span style={{ display: "inline-flex", flexWrap: "wrap", gap: 4 }}>
      {badges.slice(0, most).map((badge) => <BadgeChip key={badge.slug} badge={badge} />)}
      {rest.length > 0 && (
        <Tooltip label={rest.map((badge) => badge.name).join(", ")}>
          <span className="chip" tabIndex={0}>+{rest.length}</span>
        </Tooltip>
      )}
    </span>
  );
}

/** What the states and severities of the API mean at a glance. */
const STATUS_TONES: Record<string, Tone> = {
  DELIVERED: 3, FAILED: 0, PENDING: 2, PAUSED: 1, FINISHED: 3,
  OPEN: 1, ACKNOWLEDGED: 2, CRITICAL: 0, WARNING: 1,
  HEALTHY: 3, FAILING: 0, DISABLED: 1, BAD: 0, GOOD: 3,
  PROPOSED: 2, SHADOW: 1, IN_FORCE: 3,
};

/** A state or a severity of the API, such as "PENDING". */
export function StatusChip({ status }: { status: string }) {
  return <Chip tone={STATUS_TONES[status]}>{word(status)}</Chip>;
}

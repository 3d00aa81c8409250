// Whom the conditions match now, as they are being edited.

import { Alert, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconAlertTriangle } from "@tabler/icons-react";
import { keepPreviousData } from "@tanstack/react-query";
import { $api } from "../../api";
import { Answer } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { Panel } from "../../parts/Page";
import { span } from "../../parts/Time";
import { asksAt, isWhole, type Condition } from "./condition";
import { Sample } from "./Sample";

/** How long after the last change it is asked for. */
const SETTLE_MS = 350;
const REFRESH_MS = 10_000;

interface Props {
  conditions: Condition[];
  /** Of a rule that gives a badge: the badge's type. */
  badgeType?: string | undefined;
  /** Whether somebody with a GOOD badge is none of those the rule is meant for. */
  isAgainst: boolean;
  /** Of a new rule that opens escalations: after how many seconds. */
  opens?: number | undefined;
}

export function Preview({ conditions, badgeType, isAgainst, opens }: Props) {
  const events = asksAt(conditions).join(" or ");
  const areWhole = conditions.length > 0 && conditions.every(isWhole);
  const [settled] = useDebouncedValue(JSON.stringify(conditions), SETTLE_MS);
  const preview = $api.useQuery(
    "post",
    "/api/escalation-rules/actions/preview",
    { body: { conditions: JSON.parse(settled) as Condition[], badgeType } },
    { enabled: areWhole && settled === JSON.stringify(conditions), placeholderData: keepPreviousData, refetchInterval: REFRESH_MS },
  );
  if (!areWhole) return <Panel title="Matches now"><Text c="dimmed">Available once every condition is complete.</Text></Panel>;
  return (
    <Panel title="Matches now" note="Ignoring delays.">
      <Answer of={preview} lines={5}>
        {({ matching, settled: put, good, sample }) => (
          <Stack gap="sm" opacity={preview.isPlaceholderData ? 0.65 : 1}>
            <Text className="numbers" aria-live="polite">
              <Text span fz={28} fw={700} lh={1.1}>{matching.toLocaleString("en")}</Text> {matching === 1 ? "identity" : "identities"}
            </Text>
            {put > 0 && <Settled count={put} isBeside={matching > 0} isAgainst={isAgainst} opens={badgeType === undefined} />}
            {events && matching > 0 && <Text fz="sm">By the newest {events} of each. A new or changed rule says nothing of what has been: each is evaluated at the next one.</Text>}
            {!events && opens !== undefined && matching > 0 && (
              <Text fz="sm">Creating it opens {counted(matching, "escalation")} {opens === 0 ? "now" : `in ${span(opens)}, where its conditions still hold`}.</Text>
            )}
            {isAgainst && <GoodWarning good={good} of={matching} />}
            {sample.length > 0 && <Sample label="Sample of matches" identities={sample} />}
            {matching > sample.length && <Text c="dimmed" fz="sm">The newest {sample.length}.</Text>}
          </Stack>
        )}
      </Answer>
    </Panel>
  );
}

/** Those who match too, and about whom people have decided. */
function Settled({ count, isBeside, isAgainst, opens }: { count: number; isBeside: boolean; isAgainst: boolean; opens: boolean }) {
  const [match, are] = count === 1 ? ["matches", "is"] : ["match", "are"];
  return (
    <Text c="dimmed" fz="sm">
      {count.toLocaleString("en")} {isBeside ? "more " : ""}{match}, but {are} {isAgainst ? "labeled good or disregarded" : "disregarded"}: {opens ? "nothing opens" : "no badge is given"} for {count === 1 ? "it" : "them"}.
    </Text>
  );
}

/** Those who carry a GOOD badge may be innocent. */
export function GoodWarning({ good, of }: { good: number; of: number }) {
  if (good === 0) return of > 0 && <Text c="dimmed" fz="sm">{of === 1 ? "It has no good badge." : "None of them has a good badge."}</Text>;
  return (
    <Alert color="orange" icon={<IconAlertTriangle />} p="xs">
      <Text fz="sm" fw={600}>{of === 1 ? "It has a good badge" : `${counted(good, "of them has", "of them have")} a good badge`}</Text>
      <Text fz="sm">{good === 1 ? "It" : "They"} may be legitimate. Consider a stricter condition.</Text>
    </Alert>
  );
}

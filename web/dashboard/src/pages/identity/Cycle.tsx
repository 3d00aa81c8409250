// Which cycle's findings are shown: the newest as it changes, or one of the past.

import { ActionIcon, Group, NativeSelect, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import type { Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { CATEGORIES, scoreOf } from "../../parts/score";
import { exactTime, millis } from "../../parts/Time";
import { useHistory, type Entry } from "./history";
import { counted } from "../../parts/counts";

export function Cycle({ id, analysis }: { id: string; analysis: Schemas["AnalysisBody"] | undefined }) {
  const [{ cycle }, change] = usePageSearch();
  const history = useHistory(id).data ?? [];
  const at = cycle ? history.findIndex((entry) => String(entry.id) === cycle) : 0;
  const go = (index: number) => change({ cycle: index <= 0 ? undefined : String(history[index]?.id ?? "") });
  return (
    <Group gap="xs">
      <NativeSelect
        aria-label="Cycle"
        value={cycle ?? ""}
        onChange={(event) => change({ cycle: event.currentTarget.value || undefined })}
        data={options(history, cycle)}
        maw="100%"
      />
      <ActionIcon variant="default" aria-label="Older cycle" disabled={at < 0 || at >= history.length - 1} onClick={() => go(at + 1)}><IconChevronLeft size={16} /></ActionIcon>
      <ActionIcon variant="default" aria-label="Newer cycle" disabled={at <= 0} onClick={() => go(at - 1)}><IconChevronRight size={16} /></ActionIcon>
      {analysis && (
        <Text c="dimmed" fz="sm" className="numbers">
          Cycle {analysis.id}: {counted(analysis.eventCount, "event")}, {counted(analysis.deviceCount, "device")}, in {millis(analysis.durationMillis)}
        </Text>
      )}
    </Group>
  );
}

function options(history: Entry[], cycle: string | undefined) {
  const past = history.slice(1).map((entry) => ({ value: String(entry.id), label: `${exactTime(entry.finishedAt)}: ${scores(entry)}` }));
  // One that is older than what is listed, as the address of somebody's note may say, or the newest by its own number.
  const isListed = !cycle || past.some(({ value }) => value === cycle);
  return [{ value: "", label: "Latest cycle" }, ...(isListed ? [] : [{ value: cycle, label: `Cycle ${cycle}` }]), ...past];
}

/** "88 / 91 / 9 / 28", in the order of the page. */
function scores(entry: Entry): string {
  return CATEGORIES.map((category) => scoreOf(entry, category) ?? "–").join(" / ");
}

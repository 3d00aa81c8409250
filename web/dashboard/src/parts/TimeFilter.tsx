// Times that are picked: shown in the preferred zone, kept in UTC.

import { TextInput } from "@mantine/core";
import { isUtc } from "../app/preferences";
import { usePageSearch } from "../app/search";

const MINUTE_MS = 60_000;

/** A time as the browser's picker takes it; "" where it is none. */
export function toLocal(time: string | undefined): string {
  const at = time ? new Date(time) : undefined;
  if (!at || Number.isNaN(at.getTime())) return "";
  const offset = isUtc() ? 0 : at.getTimezoneOffset();
  return new Date(at.getTime() - offset * MINUTE_MS).toISOString().slice(0, 19);
}

/** What the picker says, as the API takes it. */
export function toUtc(local: string): string | undefined {
  // What has a zone of its own keeps it.
  const at = new Date(isUtc() && /T[\d:.]+$/.test(local) ? `${local}Z` : local);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** A filter by time, kept in the address of the page. */
export function TimeFilter({ name, label }: { name: string; label: string }) {
  const [search, change] = usePageSearch();
  return (
    <TextInput
      type="datetime-local"
      size="sm"
      leftSection={label}
      leftSectionWidth={48}
      aria-label={label}
      value={toLocal(search[name])}
      onChange={(event) => change({ [name]: toUtc(event.currentTarget.value) })}
    />
  );
}

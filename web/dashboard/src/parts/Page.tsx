// What a page begins with, and the parts it is made of.

import { Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { type ReactNode, useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { useLostSince } from "../app/reach";
import { usePageSearch } from "../app/search";
import { Chip } from "./Chip";
import { exactTime } from "./Time";

interface Props {
  title: ReactNode;
  /** Its title in the browser, if another. */
  tab?: string;
  actions?: ReactNode;
  /** What others can do here, for those who cannot. */
  mayNot?: string | undefined;
  children?: ReactNode;
}

/** A page: its title, what can be done on it, and what it shows. */
export function Page({ title, tab, actions, mayNot, children }: Props) {
  useDocumentTitle(`${tab ?? (typeof title === "string" ? title : "dregs")} · dregs`);
  const lostSince = useLostSince();
  return (
    <Stack gap="md" maw={1560} mx="auto">
      <Group justify="space-between" align="center" gap="sm">
        <Group gap="sm" miw={0} flex="0 1 auto">
          <Title order={1} style={{ minWidth: 0 }} className="break">{title}</Title>
          {lostSince !== undefined && <Chip tone={1}>As of {exactTime(lostSince)}</Chip>}
        </Group>
        {actions && <Group gap="xs" className="actions">{actions}</Group>}
      </Group>
      <Printed />
      {mayNot && <Text c="dimmed" fz="sm" data-may-not>{mayNot}</Text>}
      {children}
    </Stack>
  );
}

/** In the address, and of no interest on paper. */
const NO_FILTERS = ["pageNumber", "sort", "order", "by", "tab", "escalation"];

/** On paper alone: when that was, where, and with which filters. */
function Printed() {
  const [search] = usePageSearch();
  const [at, print] = useState(Date.now);
  useEffect(() => {
    const printing = () => flushSync(() => print(Date.now()));
    addEventListener("beforeprint", printing);
    return () => removeEventListener("beforeprint", printing);
  }, []);
  const filters = Object.entries(search).filter(([name]) => !NO_FILTERS.includes(name));
  const words = filters.map(([name, value]) => `${name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()} ${value}`);
  return (
    <Text fz="sm" className="on-paper" data-printed>
      Printed {exactTime(at)} from {location.host}{location.pathname}{words.length > 0 && `, with the filters ${words.join(", ")}`}
    </Text>
  );
}

/** A framed part of a page with a heading of its own. */
export function Panel({ title, note, actions, children }: { title?: string; note?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <section className="panel" aria-label={title}>
      <Stack gap="sm" p="md">
        {(title || actions) && (
          <Group justify="space-between" gap="xs">
            {/* Long words make lines of their own, and not a line for themselves. */}
            <div style={note ? { flex: "1 1 12rem", minWidth: 0 } : undefined}>
              {title && <Title order={2}>{title}</Title>}
              {note && <Text c="dimmed" fz="sm">{note}</Text>}
            </div>
            {actions && <Group gap="xs" className="actions">{actions}</Group>}
          </Group>
        )}
        {children}
      </Stack>
    </section>
  );
}

/** Whether React would show nothing of it. */
function isNothing(value: ReactNode): boolean {
  return value === null || value === undefined || value === "" || typeof value === "boolean";
}

/** Names and what stands for them. */
export function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value], index) => (
        <div key={index} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{isNothing(value) ? "–" : value}</dd>
        </div>
      ))}
    </dl>
  );
}

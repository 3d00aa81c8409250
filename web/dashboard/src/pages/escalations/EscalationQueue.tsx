// The queue of escalations, to work through with the keyboard.

import { Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { keepPreviousData } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { $api } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Detail } from "./Detail";
import classes from "./EscalationQueue.module.css";
import { askAhead, useQueueQuery, type Escalation } from "./escalations";
import { ACTS, move, moved, tellClosed, undo, UNDO_KEY, useMoves, type Act } from "./moves";
import { QueueFilters } from "./QueueFilters";
import { QueueRow } from "./QueueRow";
import { useSelection } from "./selection";

export function EscalationQueue() {
  const query = useQueueQuery();
  const list = $api.useQuery("get", "/api/escalations", { params: { query } }, { placeholderData: keepPreviousData });
  const moves = useMoves();
  const rows = (list.data?.content ?? []).map((row) => moved(row, moves)).filter(({ status }) => !query.status || status === query.status);
  return (
    <Page title="Escalations">
      <QueueFilters />
      <Answer of={list} lines={10}>
        {() => (rows.length === 0 ? <Nothing isFiltered={Boolean(query.severity || query.rule || query.identity)} /> : <Queue rows={rows} isWaiting={list.isPlaceholderData} />)}
      </Answer>
    </Page>
  );
}

function Queue({ rows, isWaiting }: { rows: Escalation[]; isWaiting: boolean }) {
  const { current, select, step } = useSelection(rows);
  const { triage } = useMay();
  const navigate = useNavigate();
  const [search] = usePageSearch();
  const act = ({ to, from }: Act) => {
    if (!current || !triage || !from.includes(current.status)) return;
    // Where every status is shown it stays in its place, and one goes on.
    if (search.status === "ALL") step(1);
    move(current, to);
    if (to === "CLOSED") tellClosed(current, () => move({ ...current, status: "CLOSED" }, "OPEN"));
  };
  const open = async () => {
    if (!current) return;
    // Whoever comes back finds the same one.
    await navigate({ to: ".", search: { ...search, escalation: String(current.id) } as never, replace: true });
    await navigate({ to: "/identities/$id", params: { id: current.identity.id } });
  };
  useHotkeys([
    ["j", () => step(1)], ["k", () => step(-1)], ["ArrowDown", () => step(1)], ["ArrowUp", () => step(-1)],
    ["Enter", (event) => (event.target as Element).closest("a, button") || void open()],
    [UNDO_KEY, undo],
    ...ACTS.map((one): [string, () => void] => [one.key, () => act(one)]),
  ]);
  const next = current && rows[rows.indexOf(current) + 1];
  useEffect(() => {
    if (next) askAhead(next);
  }, [next]);
  return (
    <div className={classes.queue}>
      <div>
        <Rows rows={rows} current={current} select={select} isWaiting={isWaiting} />
        <Text className={classes.keys} c="dimmed" fz="xs" mt="xs">j k move · a acknowledge · c close · o open again · Enter identity</Text>
      </div>
      {current && <Detail key={current.id} escalation={current} act={act} />}
    </div>
  );
}

interface RowsProps {
  rows: Escalation[];
  current: Escalation | undefined;
  select: (escalation: Escalation) => void;
  isWaiting: boolean;
}

function Rows({ rows, current, select, isWaiting }: RowsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [current?.id]);
  return (
    <div
      className={classes.list}
      ref={list}
      role="listbox"
      aria-label="Escalations"
      tabIndex={0}
      data-waiting={isWaiting || undefined}
      aria-activedescendant={current && `escalation-${current.id}`}
    >
      {rows.map((row) => <QueueRow key={row.id} escalation={row} isCurrent={row.id === current?.id} select={() => select(row)} />)}
    </div>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <div className="panel"><Empty title="None matches">No escalation passes all of these filters.</Empty></div>;
  return (
    <div className="panel">
      <Empty title="Nothing waits for you">
        An escalation (an alert, as it used to be called) opens when the conditions of one of your <PageLink to="/rules">escalation rules</PageLink> hold
        for somebody, and waits here until somebody has looked at it.
      </Empty>
    </div>
  );
}

// The queue of escalations, to work through with the keyboard.

import { Button, Group, Kbd, Stack, Text } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { $api, tell, tellError } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay, useMayNot } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { useReasons } from "../labels/ReasonField";
import { useArrivals } from "./arrivals";
import { assign, takeNext } from "./assigning";
import { ActOnAll, ActOnSome, ASSIGN, canBeDone, type First } from "./BulkChange";
import { CloseEscalation } from "./CloseEscalation";
import { Detail } from "./Detail";
import classes from "./EscalationQueue.module.css";
import { askAhead, isAskedFor, NOBODY, rowsOf, useQueueQuery, type Escalation, type EscalationPage, type QueueQuery } from "./escalations";
import { NEXT_KEY, useQueueKeys } from "./keys";
import { CLOSE, closeOthers, forgetMoved, move, moved, takeBack, tellMoved, useMoves, type Act, type Closing, type Moves } from "./moves";
import { QueueFilters, WAVES } from "./QueueFilters";
import { QueuePager } from "./QueuePager";
import { QueueRows } from "./QueueRows";
import { useMarks, useSelection, type Selection } from "./selection";
import { canSnooze, Snooze, SNOOZE_KEY } from "./Snooze";
import { Waves } from "./Waves";

export function EscalationQueue() {
  const [{ view }] = usePageSearch();
  return view === WAVES ? <WavesPage /> : <QueuePage />;
}

function WavesPage() {
  return (
    <Page title="Escalations" mayNot={useMayNot("triage", "work on escalations: assign, note, snooze, acknowledge and close them")}>
      <QueueFilters />
      <Waves />
    </Page>
  );
}

function QueuePage() {
  const query = useQueueQuery();
  const list = $api.useQuery("get", "/api/escalations", { params: { query: rowsOf(query) } }, { placeholderData: keepPreviousData });
  // Read where the list is read, or a move that has arrived in it may be gone before the list is drawn anew.
  const moves = useMoves();
  // With the reasons that are offered: keys are faster than an answer.
  const reasons = useReasons();
  return (
    <Page title="Escalations" mayNot={useMayNot("triage", "work on escalations: assign, note, snooze, acknowledge and close them")}>
      <QueueFilters />
      <Answer of={reasons} lines={10}>
        {() => <Answer of={list} lines={10}>{(page) => <Queue query={query} page={page} moves={moves} isWaiting={list.isPlaceholderData} />}</Answer>}
      </Answer>
    </Page>
  );
}

/** What keys do, for the line below the list. */
const MOVES = [["j k", "move"]] as const;
const WORK = [
  ["x", "select"], ["n", "take the oldest of the worst"], ["m", "assign to me"], ["u", "unassign"], ["t", "note"], ["s", "snooze"], ["a", "acknowledge"], ["c", "close"], ["o", "unacknowledge, reopen"], ["z", "undo"],
] as const;
const OPEN = [["Enter", "open identity"]] as const;

interface Props {
  query: QueueQuery;
  page: EscalationPage;
  moves: Moves;
  isWaiting: boolean;
}

function Queue({ query, page, moves, isWaiting }: Props) {
  const { triage } = useMay();
  const all = page.content.map((row) => moved(row, moves)).filter(({ status }) => isAskedFor(query, status));
  const list = JSON.stringify(query);
  const { shown: rows, arrived, show, openedBefore } = useArrivals(all, isWaiting ? "" : list, query.pageSize);
  const selection = useSelection(rows, list, isWaiting);
  const marks = useMarks(rows, list);
  const current = selection.current && moved(selection.current, moves);
  const act = useAct({ ...selection, current });
  const [snoozing, snooze] = useState<number>();
  const isSnoozing = snoozing !== undefined && snoozing === current?.id && canSnooze(current);
  const [closing, close] = useState<number>();
  const isClosing = closing !== undefined && closing === current?.id && CLOSE.from.includes(current.status);
  const begin = (one: Act) => (one === CLOSE ? triage && close(current?.id) : act(one));
  // Keys act on those that are selected, where some are.
  const [bulk, actOnSome] = useState<First>();
  const isSome = marks.ids.size > 0;
  const orSome = (first: First, one: () => unknown) => {
    if (!isSome) one();
    else if (canBeDone(query.status, first.act)) actOnSome(first);
    else tell("That cannot be done to those that are selected.");
  };
  useEffect(() => {
    if (!isSome) actOnSome(undefined);
  }, [isSome]);
  const queue = useTop();
  const look = (one: Escalation | undefined) => {
    selection.select(one);
    // Where it stands below the list and not beside it, it is brought into sight.
    requestAnimationFrame(() => {
      const detail = queue.current?.querySelector(`.${classes.detail}`);
      if (detail && queue.current && detail.getBoundingClientRect().left === queue.current.getBoundingClientRect().left) detail.scrollIntoView({ block: "start" });
    });
  };
  const navigate = useNavigate();
  const open = async () => {
    if (!current) return;
    await selection.keep();
    await navigate({ to: "/identities/$id", params: { id: current.identity.id } });
  };
  const next = async () => {
    if (!triage) return;
    const taken = await takeNext(query);
    if (taken) selection.select(taken);
  };
  const give = (to: string | null) => {
    if (triage && current && current.status !== "CLOSED") void assign(current, to).catch(tellError);
  };
  const put = () => triage && current && canSnooze(current) && snooze(current.id);
  useQueueKeys({ isFree: !isClosing && !isSnoozing && bulk === undefined, snooze: () => (isSome ? tell("Snooze one at a time: select none first.") : put()), step: selection.step, act: (one) => orSome({ act: one.to }, () => begin(one)), open: () => void open(), assign: (to) => orSome({ act: ASSIGN, to: to ?? NOBODY }, () => give(to)), takeNext: () => void next(), mark: () => triage && current && marks.toggle(current.id) });
  const take = triage && <Button size="xs" variant="default" rightSection={<Kbd size="xs">{NEXT_KEY}</Kbd>} title="Of the highest severity, the oldest that nobody works on" onClick={() => void next()}>Take the next one</Button>;
  useAskAhead(rows[rows.findIndex(({ id }) => id === current?.id) + 1]);
  if (rows.length === 0 && !current) return <Stack align="flex-start" gap="xs">{query.assignee && take}<Nothing query={query} /></Stack>;
  return (
    <div className={classes.queue} ref={queue}>
      <div className={classes.side}>
        {take && (
          <Group className={classes.take} gap="xs">
            {take}
            {isSome
              ? <ActOnSome ids={[...marks.ids]} status={query.status} first={bulk} open={actOnSome} clear={marks.clear} />
              : <ActOnAll query={{ ...query, openedBefore }} total={page.totalElements - arrived} isExact={page.totalIsExact} />}
          </Group>
        )}
        <QueueRows rows={rows} selection={{ ...selection, select: look }} marks={triage ? marks : undefined} isWaiting={isWaiting} />
        {arrived > 0 && (
          <Group gap="xs" mt="xs" role="status">
            <Text fz="sm">{arrived} new</Text>
            <Button size="compact-xs" variant="default" onClick={show}>Show</Button>
          </Group>
        )}
        <QueuePager page={page} pageSize={query.pageSize} shown={rows.length} arrived={arrived} />
        <Text component="div" className={classes.keys} c="dimmed" fz="xs" mt="xs">
          {[...MOVES, ...(triage ? WORK.filter(([key]) => key !== SNOOZE_KEY || (current && canSnooze(current))) : []), ...OPEN].map(([keys, what]) => <span key={keys}>{keys.split(" ").map((key) => <Kbd key={key} size="xs" mr={2}>{key}</Kbd>)} {what}</span>)}
        </Text>
      </div>
      {current && <Detail key={current.id} escalation={current} act={begin} snooze={() => void put()} />}
      {current && isSnoozing && (
        <Snooze
          key={`snooze ${current.id}`}
          escalation={current}
          close={(isDone) => {
            snooze(undefined);
            if (isDone) selection.leave();
          }}
        />
      )}
      {current && isClosing && (
        <CloseEscalation
          key={`close ${current.id}`}
          escalation={current}
          cancel={() => close(undefined)}
          close={(said) => {
            close(undefined);
            act(CLOSE, said);
          }}
        />
      )}
    </div>
  );
}

/** Has the styles of an element know how far below the top of the page it begins: what stands above it may break into lines. */
function useTop() {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const tell = () => {
      const { current } = element;
      current?.style.setProperty("--top", `${Math.round(current.getBoundingClientRect().top + scrollY)}px`);
    };
    const observer = new ResizeObserver(tell);
    // It moves where something above it, or the window, changes its size.
    for (const above of [document.body, ...(element.current?.parentElement?.children ?? [])]) observer.observe(above);
    return () => observer.disconnect();
  }, []);
  return element;
}

/** Asks for what the next one shows before anybody goes to it. */
function useAskAhead(next: Escalation | undefined): void {
  const id = next?.identity.id;
  // Nobody has analysed an identity that had no score.
  const isScored = next !== undefined && Object.values(next.scoreSnapshot).some((score) => score !== null);
  useEffect(() => {
    if (id !== undefined) askAhead(id, isScored);
  }, [id, isScored]);
}

/** Does something to the escalation that is looked at, and goes on to the next. */
function useAct({ current, leave, select }: Selection): (act: Act, closing?: Closing) => void {
  const { triage } = useMay();
  return ({ to, from }, closing = {}) => {
    if (!current || !triage || !from.includes(current.status)) return;
    leave();
    const done = move(current, to, closing);
    if (to === "OPEN") {
      forgetMoved();
      if (current.outcome === "GOOD") tell(`${current.identity.label} is still labeled good.`);
      return;
    }
    const untell = tellMoved(current, to, closing, () => {
      void takeBack(current, to, closing);
      select(current);
    });
    void done.then((isDone) => (isDone ? closeOthers(closing) : untell()));
  };
}

function Nothing({ query: { status, severity, rule, identity, outcome, assignee, mentioned, overdue, shares, pageNumber } }: { query: QueueQuery }) {
  const [search] = usePageSearch();
  if (pageNumber > 0) {
    const first = { ...search, pageNumber: undefined } as never;
    return <div className="panel"><Empty title="This page is empty"><PageLink to="/escalations" search={first}>First page</PageLink></Empty></div>;
  }
  if (severity || rule || identity || outcome || assignee || mentioned || overdue || shares) return <div className="panel"><Empty title="No matches">No escalation matches all of these filters.</Empty></div>;
  // Of any status: none has ever opened.
  const which = status ? `${status.toLowerCase()} ` : "";
  return (
    <div className="panel">
      <Empty title={`No ${which}escalations`}>
        An escalation (alert) opens when the conditions of one of your <PageLink to="/rules">escalation rules</PageLink> hold
        for an identity, and stays here until somebody acknowledges or closes it.
      </Empty>
    </div>
  );
}

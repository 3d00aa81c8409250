// The list of the queue. Only the list itself takes the focus: arrows go from one row to the next.

import { getHotkeyHandler } from "@mantine/hooks";
import { useEffect, useRef, type MouseEvent } from "react";
import { visibleId } from "../../app/visible";
import { Chip, StatusChip } from "../../parts/Chip";
import { Time } from "../../parts/Time";
import { useUser } from "../../app/session";
import { OutcomeChip } from "../labels/OutcomeChip";
import { useNames } from "./Assignee";
import classes from "./EscalationQueue.module.css";
import type { Escalation } from "./escalations";
import type { Marks, Selection } from "./selection";

interface Props {
  rows: Escalation[];
  selection: Selection;
  /** Nothing for whoever may not act. */
  marks: Marks | undefined;
  isWaiting: boolean;
}

export function QueueRows({ rows, selection: { current, select, step }, marks, isWaiting }: Props) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [current?.id]);
  const isThere = rows.some(({ id }) => id === current?.id);
  return (
    <div
      className={classes.list}
      ref={list}
      role="listbox"
      aria-label="Escalations"
      tabIndex={0}
      data-waiting={isWaiting || undefined}
      aria-activedescendant={isThere ? `escalation-${current?.id}` : undefined}
      onKeyDown={getHotkeyHandler([["ArrowDown", () => step(1)], ["ArrowUp", () => step(-1)]])}
    >
      {rows.map((row) => <QueueRow key={row.id} escalation={row} isCurrent={row.id === current?.id} marks={marks} select={() => select(row)} />)}
    </div>
  );
}

interface RowProps {
  escalation: Escalation;
  isCurrent: boolean;
  marks: Marks | undefined;
  select: () => void;
}

function QueueRow({ escalation, isCurrent, marks, select }: RowProps) {
  const { id, severity, status, outcome, identity, escalationRule, openedAt, assignee, overdue } = escalation;
  const name = useNames();
  const { email } = useUser();
  const mark = (event: MouseEvent) => {
    event.stopPropagation();
    marks?.toggle(id, event.shiftKey);
  };
  return (
    <div className={classes.row} role="option" id={`escalation-${id}`} aria-selected={isCurrent} aria-checked={marks?.ids.has(id)} onClick={select}>
      <StatusChip status={severity} />
      <span className={classes.who}>
        {identity.label === identity.id
          ? <bdi className={classes.id} title={visibleId(identity.id)}>{visibleId(identity.id)}</bdi>
          : <><bdi className={classes.name}>{identity.label}</bdi>{" "}<bdi className={`below ${classes.below}`} title={visibleId(identity.id)}>{visibleId(identity.id)}</bdi></>}
      </span>
      <span className={classes.opened}><Time at={openedAt} /></span>
      {marks && <span className={classes.mark} title="Select (x)" onClick={mark} />}
      <span className={classes.rule}>
        <span className="clip">{escalationRule.label}</span>
        {overdue && <Chip tone={0}>Overdue</Chip>}
        {assignee && <Chip>{assignee === email ? "Yours" : <span className="clip">{name(assignee)}</span>}</Chip>}
        {status !== "OPEN" && <StatusChip status={status} />}
        <OutcomeChip outcome={outcome} />
      </span>
    </div>
  );
}

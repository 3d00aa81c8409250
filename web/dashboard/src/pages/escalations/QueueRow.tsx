import { StatusChip } from "../../parts/Chip";
import { Time } from "../../parts/Time";
import classes from "./EscalationQueue.module.css";
import type { Escalation } from "./escalations";

/** One escalation of the queue. Keys go from one to the next, so that only the list itself takes the focus. */
export function QueueRow({ escalation, isCurrent, select }: { escalation: Escalation; isCurrent: boolean; select: () => void }) {
  const { id, severity, status, identity, escalationRule, openedAt } = escalation;
  return (
    <div className={classes.row} role="option" id={`escalation-${id}`} aria-selected={isCurrent} onClick={select}>
      <StatusChip status={severity} />
      <span className={`${classes.name} clip`}>{identity.label}</span>
      <span className={classes.opened}><Time at={openedAt} /></span>
      <span className={classes.rule}>
        <span className="clip">{escalationRule.label}</span>
        {status !== "OPEN" && <StatusChip status={status} />}
      </span>
    </div>
  );
}

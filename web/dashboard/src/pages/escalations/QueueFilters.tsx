// Which escalations are shown, and how many there are of each status.

import { Button, Group, VisuallyHidden } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { $api } from "../../api";
import { usePageSearch } from "../../app/search";
import { bounded } from "../../parts/counts";
import { ChoiceFilter, FoldedFilters, TextFilter } from "../../parts/Filters";
import { word } from "../../parts/score";
import { useEscalationRules } from "../rules/rules";
import { useMembers } from "./Assignee";
import classes from "./EscalationQueue.module.css";
import { sharedText } from "./shared";
import { ACTIVE, ANY_STATUS, COUNTED_MAX, ME, NOBODY, ordersOf, statusOf } from "./escalations";

/** In the address, for what escalations have in common, instead of the queue. */
export const WAVES = "waves";
const OUTCOMES: [string, string][] = [["NONE", "Not labeled"], ["GOOD", "Labeled good"], ["BAD", "Labeled bad"]];
const SEVERITIES = ["CRITICAL", "WARNING", "INFO"];

export function QueueFilters() {
  const [{ status, view }] = usePageSearch();
  const orders = ordersOf(statusOf(status));
  const rules = useEscalationRules();
  const options = (rules.data ?? []).map(({ id, name }): [string, string] => [String(id), name]);
  const members = useMembers().filter(({ role }) => role !== "VIEWER").map(({ email, name }): [string, string] => [email, name ?? email]);
  return (
    <Group gap="xs">
      <Views />
      {view !== WAVES && <Statuses />}
      <FoldedFilters names={["severity", "rule", "assignee", "outcome", "identity", "by", "shares"]}>
        <ChoiceFilter name="severity" label="Any severity" options={SEVERITIES.map((severity) => [severity, word(severity)])} />
        <ChoiceFilter name="rule" label="Any rule" options={options} />
        <ChoiceFilter name="assignee" label="Assigned or not" options={[[ME, "Assigned to me"], [NOBODY, "Unassigned"], ...members]} />
        <ChoiceFilter name="outcome" label="Labeled or not" options={OUTCOMES} />
        <TextFilter name="identity" label="Identity id" w={170} />
        {view !== WAVES && <ChoiceFilter name="by" label={orders.own} options={orders.others} />}
        <SharesFilter />
      </FoldedFilters>
    </Group>
  );
}

/** Of both that are not closed. */
const STATUS_WORDS: Record<string, string> = { [ACTIVE]: "Open or acknowledged" };

function Statuses() {
  const [search] = usePageSearch();
  const { data } = $api.useQuery("get", "/api/escalations/summary");
  const counts: Record<string, number | undefined> = { OPEN: data?.open, ACKNOWLEDGED: data?.acknowledged, CLOSED: data?.closed, [ACTIVE]: data && data.open + data.acknowledged };
  const shown = statusOf(search.status);
  // Of the whole queue: beside filters they would be taken for what these let through.
  const isFiltered = Boolean(search.severity || search.rule || search.identity || search.outcome || search.assignee || search.mentioned || search.overdue || search.shares);
  return (
    <nav className={classes.statuses} aria-label="Status">
      {["OPEN", "ACKNOWLEDGED", ACTIVE, "CLOSED", ANY_STATUS].map((status) => (
        <Link
          key={status}
          to="."
          search={{ ...search, status: status === "OPEN" ? undefined : status, escalation: undefined, pageNumber: undefined } as never}
          // Without a status in its address, a link would be taken for the one to wherever one is.
          activeOptions={{ exact: true, explicitUndefined: true }}
          aria-current={status === shown ? "page" : undefined}
        >
          {STATUS_WORDS[status] ?? word(status)}
          {!isFiltered && counts[status] !== undefined && <span className={classes.count}>{bounded(counts[status], counts[status] < COUNTED_MAX)}</span>}
        </Link>
      ))}
    </nav>
  );
}

/** What those who are shown have in common: chosen among the waves, and taken away here. */
function SharesFilter() {
  const [{ shares }, change] = usePageSearch();
  if (!shares) return null;
  return (
    <Button size="compact-sm" variant="default" maw="100%" rightSection={<IconX size={14} />} onClick={() => change({ shares: undefined, escalation: undefined })}>
      <span className="clip">Sharing {sharedText(shares)}</span><VisuallyHidden>: show all</VisuallyHidden>
    </Button>
  );
}

/** What people come to the queue for; each in the statuses in which there is something to do. */
const VIEWS = [
  { name: "Everyone's", change: {} },
  { name: "Mine", change: { assignee: ME, status: ACTIVE } },
  { name: "Mentions", change: { mentioned: ME, status: ACTIVE } },
  { name: "Unassigned", change: { assignee: NOBODY } },
  { name: "Overdue", change: { overdue: "true", status: ACTIVE } },
  { name: "Waves", change: { view: WAVES } },
];

function Views() {
  const [search] = usePageSearch();
  const { data } = $api.useQuery("get", "/api/escalations/summary");
  const counts: Record<string, number | undefined> = { Mine: data?.mine, Mentions: data?.mentioned, Overdue: data?.overdue };
  const shown = search.view === WAVES ? "Waves" : search.mentioned ? "Mentions" : search.overdue === "true" ? "Overdue" : search.assignee === ME ? "Mine" : search.assignee === NOBODY ? "Unassigned" : search.assignee ? "" : "Everyone's";
  const none = { view: undefined, assignee: undefined, mentioned: undefined, overdue: undefined, status: undefined, escalation: undefined, pageNumber: undefined };
  return (
    <nav className={classes.statuses} aria-label="Whose">
      {VIEWS.map(({ name, change }) => {
        const count = counts[name];
        return (
          <Link
            key={name}
            to="."
            search={{ ...search, ...none, ...change } as never}
            activeOptions={{ exact: true, explicitUndefined: true }}
            aria-current={name === shown ? "page" : undefined}
          >
            {name}
            {count ? <span className={classes.count} data-late={name === "Overdue" || undefined}>{bounded(count, count < COUNTED_MAX)}</span> : null}
          </Link>
        );
      })}
    </nav>
  );
}

// What an entry of the audit log is about, and what it changed.

import { Table, Text } from "@mantine/core";
import type { Schemas } from "../../api";
import { NO_BREAK } from "../../app/preferences";
import { PageLink } from "../../parts/PageLink";
import { ANY_STATUS } from "../escalations/escalations";
import { useNames } from "../rules/rules";
import { pathWords, targetWords, valueWords } from "./audit";
import classes from "./AuditEntry.module.css";
import type { Target as Named } from "./targets";
import { differences, type Difference } from "./difference";

/** An id that is no longer stands beside its noun. */
const SHORT_CHARS = 12;

interface Props {
  entry: Schemas["AuditEntryBody"];
}

/** What was done something to, by its name where it has one: a link, where it has a page and is still there. */
export function Target({ entry: { action, targetType, targetId }, target: { name, isThere } }: Props & { target: Named }) {
  const isShort = targetId.length <= SHORT_CHARS;
  const noun = targetWords(targetType);
  const words = name === undefined
    ? <>{noun}{isShort ? NO_BREAK : " "}<span className={isShort ? "mono" : "mono break"}>{targetId}</span></>
    : <span className={classes.named} title={`${noun} ${targetId}`}>{noun} “{name}”</span>;
  const params = { id: targetId };
  if (action.endsWith(".delete") || (name !== undefined && !isThere)) return words;
  switch (targetType) {
    case "badge-rule":
      return <PageLink to="/badge-rules/$id" params={params} fz="inherit">{words}</PageLink>;
    case "escalation-rule":
      return <PageLink to="/escalation-rules/$id" params={params} fz="inherit">{words}</PageLink>;
    case "channel":
      return <PageLink to="/settings/channels/$id" params={params} fz="inherit">{words}</PageLink>;
    case "audit-entry":
      return <PageLink to="/settings/audit-log" search={{ id: targetId } as never} fz="inherit">{words}</PageLink>;
    case "list":
      return <PageLink to="/settings/lists/$id" params={params} fz="inherit">{words}</PageLink>;
    case "counter":
      return <PageLink to="/settings/counters" fz="inherit">{words}</PageLink>;
    case "credential":
      return <PageLink to="/settings/credentials" fz="inherit">{words}</PageLink>;
    case "member":
      return <PageLink to="/settings/team" fz="inherit">{words}</PageLink>;
    case "delivery":
      return <PageLink to="/deliveries/$id" params={params} fz="inherit">{words}</PageLink>;
    case "weights":
      return <PageLink to="/settings/weights" fz="inherit">{words}</PageLink>;
    case "identity":
      return <PageLink to="/identities/$id" params={params} fz="inherit">{words}</PageLink>;
    case "device":
      return <PageLink to="/devices/$fingerprint" params={{ fingerprint: targetId }} fz="inherit">{words}</PageLink>;
    case "escalation":
      return <PageLink to="/escalations" search={{ escalation: targetId, status: ANY_STATUS } as never} fz="inherit">{words}</PageLink>;
    default:
      return words;
  }
}

export function Changes({ entry: { before, after } }: Props) {
  const names = useNames();
  const found = differences(before, after, names).toSorted((one, other) => rank(one) - rank(other));
  if (found.length === 0) return <Text span c="dimmed" inherit>–</Text>;
  return (
    <details className={classes.changes}>
      <summary>{summary(found)}</summary>
      <Table verticalSpacing={3} horizontalSpacing={6} mt={4} layout="fixed" withRowBorders={false}>
        <Table.Tbody>
          {found.map(({ path, before, after }) => (
            <Table.Tr key={path}>
              <Table.Th scope="row" w="45%" className="break" title={path}>{pathWords(path)}</Table.Th>
              <Table.Td className="mono break">
                {before !== undefined && <del>{valueWords(before, path)}</del>} {after !== undefined && <ins>{valueWords(after, path)}</ins>}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </details>
  );
}

/** Why something was done is read first, and ids last. */
function rank({ path }: Difference): number {
  const name = path.split(".").at(-1) ?? "";
  return /^(reason|comment|note)$/.test(name) ? 0 : /^(id|label|revision|list|entry)$/i.test(name) ? 2 : 1;
}

const NAMED = 3;
/** A value that is no longer stands in the summary as well. */
const SHORT_VALUE_CHARS = 24;

/** The first few fields that differ: "Status: OPEN → CLOSED; reason and 4 more". */
function summary(found: Difference[]): string {
  const rest = found.length - NAMED;
  const named = found.slice(0, NAMED).map(inShort).join("; ");
  return rest > 0 ? `${named} and ${rest} more` : named;
}

function inShort({ path, before, after }: Difference): string {
  const values = [before, after].flatMap((value) => (value === undefined ? [] : valueWords(value, path)));
  const name = pathWords(path || "all");
  return values.every((value) => value.length <= SHORT_VALUE_CHARS) ? `${name}: ${values.join(" → ")}` : name;
}

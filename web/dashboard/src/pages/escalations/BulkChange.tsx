// Acts on all escalations of a list: what it does is told before, and can be undone after.

import { Button, Checkbox, Group, Modal, NativeSelect, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { keepPreviousData } from "@tanstack/react-query";
import { useState } from "react";
import { $api, tellError, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { Sent } from "../../parts/ChangePreview";
import { counted } from "../../parts/counts";
import { IdentityLink } from "../../parts/PageLink";
import { ReasonField } from "../labels/ReasonField";
import { KINDS, type Outcome } from "../labels/words";
import { useMembers } from "./Assignee";
import { backToOpen, begin, filterOf, type Chosen, type NewBulkChange } from "./bulk";
import { Choices } from "./Choices";
import { NONE, OUTCOMES, REASON_NOTE } from "./CloseEscalation";
import { ME, NOBODY } from "./escalations";

/** Beside the statuses that escalations can be given. */
export const ASSIGN = "ASSIGN";

/** What is chosen when a dialog opens: an act, and whom something is assigned to. */
export interface First {
  act?: string;
  to?: string;
}

/** Whether an act does something to the escalations of a list in this status. */
export function canBeDone(status: string | undefined, act: string | undefined): boolean {
  return act === undefined || actsOf(status).some(({ value }) => value === act);
}

/** What can be done to the escalations of a list in this status. */
function actsOf(status: string | undefined) {
  return [
    { value: "ACKNOWLEDGED", label: "Acknowledge" },
    { value: "CLOSED", label: "Close" },
    { value: "OPEN", label: backToOpen(status).act },
    { value: ASSIGN, label: "Assign" },
    // Where all have one status, nothing is to be done to give them that.
  ].filter(({ value }) => value !== status);
}

interface Props {
  /** Of which list. */
  query: Chosen;
  total: number;
  isExact: boolean;
  /** What the escalations are, where they are no list: "of this wave". */
  of?: string;
}

/** The button for it; nothing where there is one escalation, which has buttons of its own. */
export function ActOnAll({ query, total, isExact, of }: Props) {
  const [isOpen, { open, close }] = useDisclosure(false);
  if (total < 2) return null;
  const all = isExact ? `all ${total.toLocaleString("en")}` : "all";
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>Act on {all}…</Button>
      {isOpen && <Dialog title={`Act on ${all} ${of ?? "of this list"}`} chosen={{ filter: filterOf(query) }} status={query.status} close={close} />}
    </>
  );
}

interface SomeProps {
  ids: number[];
  /** That all of them have, where they have one. */
  status: string | undefined;
  /** What is chosen first, while it is asked what to do with them. */
  first: First | undefined;
  open: (first: First | undefined) => void;
  /** Selects none. */
  clear: () => void;
}

/** The buttons for those that are selected. */
export function ActOnSome({ ids, status, first, open, clear }: SomeProps) {
  const title = `Act on ${ids.length.toLocaleString("en")} selected`;
  const end = (isDone: boolean) => {
    open(undefined);
    if (isDone) clear();
  };
  return (
    <>
      <Button size="xs" onClick={() => open({})}>{title}…</Button>
      <Button size="xs" variant="subtle" onClick={clear}>Select none</Button>
      {first && <Dialog title={title} chosen={{ ids }} status={status} first={first} close={end} />}
    </>
  );
}

interface DialogProps {
  title: string;
  chosen: Pick<NewBulkChange, "ids" | "filter">;
  status: string | undefined;
  first?: First;
  close: (isDone: boolean) => void;
}

function Dialog({ title, chosen, status, first = {}, close }: DialogProps) {
  const acts = actsOf(status);
  const [act, setAct] = useState(first.act ?? acts[0]?.value ?? "");
  const [to, setTo] = useState(first.to ?? ME);
  const [label, setLabel] = useState(NONE);
  const [kind, setKind] = useState("");
  const [reason, setReason] = useState("");
  const [isForced, setForced] = useState(false);
  const members = useMembers().filter(({ role }) => role !== "VIEWER").map(({ email, name }) => ({ value: email, label: name ?? email }));
  const outcome = act === "CLOSED" && label !== NONE ? (label as Outcome) : undefined;
  const what = act === ASSIGN ? { assignee: to, force: isForced } : { status: act, force: false };
  const change: NewBulkChange = {
    ...chosen, ...what, ...(outcome && { outcome }), ...(outcome === "BAD" && kind && { kind }),
  };
  const submit = () => {
    close(true);
    begin({ ...change, ...(act === "CLOSED" && reason.trim() && { reason: reason.trim() }) }, status).catch(tellError);
  };
  const done = acts.find(({ value }) => value === act)?.label ?? "";
  return (
    <Modal opened onClose={() => close(false)} title={title} size="lg">
      <form onSubmit={(event) => { event.preventDefault(); submit(); }}>
        <Stack>
          <Choices name="act" label="What to do" value={act} options={acts} onChange={setAct} isFirst />
          {act === ASSIGN && <NativeSelect label="To" data={[{ value: ME, label: "Me" }, { value: NOBODY, label: "Nobody" }, ...members]} value={to} onChange={(event) => setTo(event.currentTarget.value)} />}
          {act === ASSIGN && <Checkbox label="Also what somebody else works on" checked={isForced} onChange={(event) => setForced(event.currentTarget.checked)} />}
          {act === "CLOSED" && (
            <>
              <Choices name="outcome" label="Label the identities" value={label} options={OUTCOMES.map(({ value, label }) => ({ value, label }))} onChange={setLabel} />
              {outcome === "BAD" && <Choices name="kind" label="Kind" value={kind} options={[{ value: "", label: "Not given" }, ...KINDS.map(({ value, label }) => ({ value, label }))]} onChange={setKind} />}
              <ReasonField outcome={outcome} description={REASON_NOTE} value={reason} onChange={setReason} />
            </>
          )}
          <Preview change={change} outcome={outcome} />
          <Group justify="flex-end" gap="xs" className="buttons">
            <Button variant="default" onClick={() => close(false)}>Cancel</Button>
            <Button type="submit" color={outcome === "BAD" ? "red" : undefined}>{outcome ? `${done} and label as ${outcome.toLowerCase()}` : done}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Preview({ change, outcome }: { change: NewBulkChange; outcome: Outcome | undefined }) {
  const preview = $api.useQuery("post", "/api/escalations/bulk-changes/actions/preview", { body: change }, { gcTime: 0, staleTime: Infinity, placeholderData: keepPreviousData });
  return (
    <Stack gap="xs" opacity={preview.isPlaceholderData ? 0.65 : 1} mih={90} role="status">
      <Text fz="sm" fw={600}>What changes</Text>
      <Answer of={preview} lines={2}>{(preview) => <Told preview={preview} outcome={outcome} />}</Answer>
    </Stack>
  );
}

function Told({ preview: { escalations, isExact, unchanged, ofOthers, closedToo, identities, unsuspicious, examples, deliveries, deliveriesAreExact }, outcome }: { preview: Schemas["BulkPreviewBody"]; outcome: Outcome | undefined }) {
  if (escalations === 0) return <Text fz="sm">Nothing: all of them are so already.</Text>;
  const rest = identities - examples.length;
  return (
    <>
      <Text fz="sm">
        {counted(escalations, "escalation")} of {identities === 1 ? "one identity" : `${identities.toLocaleString("en")} identities`}
        {!isExact && ": the 10,000 that opened first, of more"}
        {unchanged > 0 && `; ${unchanged.toLocaleString("en")} more ${unchanged === 1 ? "is" : "are"} so already, or ${unchanged === 1 ? "stays" : "stay"} with whoever works on them`}.
      </Text>
      {ofOthers > 0 && <Text fz="sm">Somebody else works on {ofOthers.toLocaleString("en")} of the list.</Text>}
      {closedToo > 0 && <Text fz="sm">{counted(closedToo, "other escalation")} of the same identities {closedToo === 1 ? "is" : "are"} closed as well.</Text>}
      {outcome === "BAD" && <Text fz="sm">Each identity gets the badge Confirmed bad.</Text>}
      {outcome === "GOOD" && <Text fz="sm">Each identity loses the badges that accuse it.</Text>}
      <Text fz="sm" component="div" className="break">
        {examples.map(({ id, label }, place) => <span key={id}>{place > 0 && ", "}<IdentityLink id={id} name={label} /></span>)}
        {rest > 0 && ` and ${rest.toLocaleString("en")} more`}
      </Text>
      {outcome === "BAD" && unsuspicious > 0 && (
        <Text fz="sm" fw={600}>Of {counted(unsuspicious, "identity", "identities")} no score is below 50: look at them before you label them as bad.</Text>
      )}
      {!deliveriesAreExact && <Text fz="sm">At least, as those who are linked to the first 200 identities are rescored:</Text>}
      <Sent deliveries={deliveries} />
    </>
  );
}

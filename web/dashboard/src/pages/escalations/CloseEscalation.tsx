// Closes an escalation: by keys alone, with what the identity is and why, or without.

import { Button, Checkbox, Group, Modal, Stack, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { keepPreviousData } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { $api, queries, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { ChangePreview, Sent } from "../../parts/ChangePreview";
import { ReasonField } from "../labels/ReasonField";
import { KINDS, type Outcome } from "../labels/words";
import { Choices } from "./Choices";
import { ACTIVE, analysisQuery, type Escalation } from "./escalations";
import type { Closing } from "./moves";

export const NONE = "NONE";
export const OUTCOMES = [
  { value: NONE, label: "No label", key: "n" },
  { value: "GOOD", label: "Good", key: "g" },
  { value: "BAD", label: "Bad", key: "b" },
];
/** Who reads the reason of whoever closes. */
export const REASON_NOTE = "Optional. Shown here and in the audit log. With a label, it is sent to your application by webhook as well; it may show it to the person.";
/** Fields in which keys are letters. */
const TYPED = "textarea, input:not([type=radio])";

interface Props {
  escalation: Escalation;
  close: (closing: Closing) => void;
  cancel: () => void;
}

export function CloseEscalation({ escalation: { id, identity }, close, cancel }: Props) {
  const [chosen, choose] = useState(NONE);
  const [kind, setKind] = useState("");
  const [reason, setReason] = useState("");
  // What was looked at, whatever arrives meanwhile.
  const [cycle] = useState(() => queries.getQueryData<Schemas["AnalysisBody"]>(analysisQuery(identity.id).queryKey)?.id);
  const form = useRef<HTMLFormElement>(null);
  const others = useOthers(id, identity.id);
  const [withOthers, takeOthers] = useState(false);
  const outcome = chosen === NONE ? undefined : (chosen as Outcome);
  const submit = () => close({
    ...(reason.trim() ? { reason: reason.trim() } : {}),
    ...(outcome ? { outcome, ...(cycle !== undefined && { cycleId: cycle }) } : {}),
    ...(outcome === "BAD" && kind ? { kind } : {}),
    ...(outcome !== "GOOD" && withOthers && others.length > 0 ? { others } : {}),
  });
  // The focus goes along: where it is, arrows go on from. A dialog takes it a moment after it opened: to where keys have gone by then.
  const focus = (field: string) => {
    const target = form.current?.querySelector<HTMLElement>(field);
    for (const marked of form.current?.querySelectorAll("[data-autofocus]") ?? []) marked.removeAttribute("data-autofocus");
    target?.setAttribute("data-autofocus", "");
    target?.focus();
  };
  const choice = (name: string, value: string) => `[data-choices=${name}] input[value="${value}"]`;
  const label = (value: string) => {
    choose(value);
    focus(choice("outcome", value));
  };
  // Pressed again, a kind is taken back.
  const turn = (value: string) => {
    if (chosen !== "BAD") return;
    const next = kind === value ? "" : value;
    setKind(next);
    focus(choice("kind", next));
  };
  useDialogKeys([
    ...OUTCOMES.map(({ key, value }): Press => [key, () => label(value)]),
    ...KINDS.map(({ key, value }): Press => [key, () => turn(value)]),
    ["r", () => focus("[data-reason]")],
  ], submit);
  return (
    <Modal opened onClose={cancel} title={`Close the escalation of ${identity.label}`} size={1100}>
      <form ref={form} onSubmit={(event) => { event.preventDefault(); submit(); }}>
        <Stack>
          <Choices name="outcome" label="Label the identity" value={chosen} options={OUTCOMES} onChange={choose} isFirst />
          {outcome === "BAD" && <Choices name="kind" label="Kind" value={kind} options={[{ value: "", label: "Not given" }, ...KINDS]} onChange={setKind} />}
          <ReasonField outcome={outcome} data-reason description={REASON_NOTE} value={reason} onChange={setReason} />
          {/* As good, the server closes them all. */}
          {outcome !== "GOOD" && others.length > 0 && (
            <Checkbox label={`And ${counted(others.length, "other open escalation")} of the same identity`} checked={withOthers} onChange={(event) => takeOthers(event.currentTarget.checked)} />
          )}
          {outcome ? <Preview id={identity.id} outcome={outcome} kind={outcome === "BAD" && kind ? kind : null} /> : <ClosingSends id={id} />}
          <Group justify="flex-end" gap="xs" className="buttons">
            <Button variant="default" onClick={cancel}>Cancel</Button>
            <Button type="submit" color={outcome === "BAD" ? "red" : undefined}>{outcome ? `Close and label as ${outcome.toLowerCase()}` : "Close the escalation"}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** What else is not closed of an identity. */
function useOthers(id: number, identity: string): Escalation[] {
  const { data } = $api.useQuery("get", "/api/escalations", { params: { query: { identity, status: ACTIVE, pageSize: 100 } } });
  return data?.content.filter((one) => one.id !== id) ?? [];
}

type Press = [key: string, press: () => void];

/** Keys of the dialog wherever the focus is, but in fields. Enter is the form's own, once the focus is in it. */
function useDialogKeys(keys: Press[], submit: () => void): void {
  const isTyped = ({ target }: KeyboardEvent) => target instanceof Element && target.matches(TYPED);
  useHotkeys([
    ...keys.map(([key, press]): [string, (event: KeyboardEvent) => void, object] => [key, (event) => {
      if (isTyped(event)) return;
      event.preventDefault();
      press();
    }, { preventDefault: false }]),
    ["Enter", ({ target }) => target === document.body && submit(), { preventDefault: false }],
  ], []);
}

/** What is sent when an escalation is closed and nothing else. */
export function ClosingSends({ id }: { id: number }) {
  const preview = $api.useQuery("post", "/api/escalations/bulk-changes/actions/preview", { body: { ids: [id], status: "CLOSED", force: false } }, { gcTime: 0, staleTime: Infinity });
  return <Answer of={preview} lines={1}>{({ deliveries }) => <Sent deliveries={deliveries} />}</Answer>;
}

/** What the label changes. Nobody who works through the queue has to wait for it. */
function Preview({ id, outcome, kind }: { id: string; outcome: Outcome; kind: string | null }) {
  const preview = $api.useQuery("post", "/api/identities/{id}/actions/preview-label", { params: { path: { id } }, body: { outcome, kind } }, {
    gcTime: 0, staleTime: Infinity, placeholderData: keepPreviousData,
  });
  return (
    <Stack gap="xs" opacity={preview.isPlaceholderData ? 0.65 : 1} mih={90}>
      <Text fz="sm" fw={600}>What changes</Text>
      <Answer of={preview} lines={2}>{(preview) => <ChangePreview preview={preview} />}</Answer>
    </Stack>
  );
}

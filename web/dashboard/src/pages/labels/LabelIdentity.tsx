// Before an identity is labelled: whose scores, badges and escalations that changes, and what it sends.

import { Alert, Button, Group, Modal, NativeSelect, Stack, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { keepPreviousData } from "@tanstack/react-query";
import { useState } from "react";
import { $api, refresh, tell, type Schemas } from "../../api";
import { Answer, Failure } from "../../parts/Answer";
import { ChangePreview } from "../../parts/ChangePreview";
import { PageLink } from "../../parts/PageLink";
import { exactTime } from "../../parts/Time";
import { ReasonField } from "./ReasonField";
import { KINDS, outcomeWords, type Outcome } from "./words";

const NOTE_MAX_CHARS = 4_000;
const NO_KIND = { value: "", label: "Not given" };

const WHAT: Record<Outcome, string> = {
  GOOD:
    "The bad badges are removed and the open escalations closed, in one step. They stay away until something new, or something stronger, " +
    "is found in the categories that they go by. Scores stay as they are. What rules have put on lists is taken off again.",
  BAD:
    "It gets the badge “Confirmed bad”. Identities on the same device, in the same session or with the same phone number get a lower " +
    "Behavior score once enough of those there are labeled bad, unless the account was taken over. The label changes none of its own scores; what was due to be scored anyway is shown with it.",
};

interface Props {
  identity: Schemas["IdentityBody"];
  /** As what; nothing while it is closed. */
  outcome: Outcome | undefined;
  /** The analysis that the page shows. */
  analysis: Schemas["AnalysisBody"] | undefined;
  close: () => void;
}

export function LabelIdentity({ outcome, close, ...rest }: Props) {
  return (
    <Modal opened={outcome !== undefined} onClose={close} title={outcome && `Label this identity as ${outcome.toLowerCase()}?`} size={1100}>
      {outcome && <Question outcome={outcome} close={close} {...rest} />}
    </Modal>
  );
}

/** The lists that people have put it on: a label takes nobody off those. */
function StaysOn({ id }: { id: string }) {
  const { data: all = [] } = $api.useQuery("get", "/api/identities/{id}/list-entries", { params: { path: { id } } });
  // What a rule has put there, the label takes off.
  const byHand = all.filter(({ list, entry }) => !list.trusted && !entry.author.startsWith("rule "));
  const names = [...new Set(byHand.map(({ list }) => list.name))];
  if (names.length === 0) return null;
  return (
    <Alert variant="light" color="yellow" p="xs" title={`It stays on ${names.join(", ")}`}>
      <Text fz="sm">Somebody put it there by hand. <PageLink to="/identities/$id" params={{ id }} search={{ tab: "lists" } as never} fz="sm">Take it off in its tab Lists</PageLink>, or rules that use the lists match it still.</Text>
    </Alert>
  );
}

function Question({ identity: { id, label }, outcome, analysis, close }: Props & { outcome: Outcome }) {
  const form = useForm({ initialValues: { kind: "", reason: "", note: "" } });
  // What was looked at, whatever arrives meanwhile.
  const [cycle] = useState(analysis);
  const kind = form.values.kind || null;
  const path = { id };
  const preview = $api.useQuery("post", "/api/identities/{id}/actions/preview-label", { params: { path }, body: { outcome, kind } }, {
    gcTime: 0, staleTime: Infinity, placeholderData: keepPreviousData,
  });
  const give = $api.useMutation("post", "/api/identities/{id}/actions/label", {
    onError: () => {},
    onSuccess: async () => {
      close();
      tell(`${outcomeWords(outcome)}.`);
      await refresh("/api/identities", "/api/escalations", "/api/labels");
    },
  });
  const submit = form.onSubmit(({ reason, note }) => {
    give.mutate({ params: { path }, body: { outcome, kind, reason: reason.trim() || null, note: note.trim() || null, cycleId: cycle?.id ?? null } });
  });
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text fz="sm">{WHAT[outcome]}</Text>
        {label && (
          <Alert variant="light" color="yellow" p="xs">
            <Text fz="sm">It is labeled {label.outcome.toLowerCase()} already. The newest label counts.</Text>
          </Alert>
        )}
        {outcome === "GOOD" && <StaysOn id={id} />}
        {outcome === "BAD" && <NativeSelect label="Kind" data={[NO_KIND, ...KINDS.map(({ value, label }) => ({ value, label }))]} maw={320} {...form.getInputProps("kind")} />}
        <ReasonField outcome={outcome} description="Optional, chosen or typed. Sent to your application by webhook; it may show it to the person." data-autofocus {...form.getInputProps("reason")} />
        <Textarea label="Note" description="Optional. Only your team sees it." autosize minRows={2} maxLength={NOTE_MAX_CHARS} {...form.getInputProps("note")} />
        <Answer of={preview} lines={5}>{(preview) => <ChangePreview preview={preview} />}</Answer>
        {give.error && <Failure error={give.error} />}
        <Group justify="flex-end" gap="xs" className="buttons">
          {cycle && <Text c="dimmed" fz="sm" mr="auto">By the analysis of {exactTime(cycle.finishedAt)}.</Text>}
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" color={outcome === "BAD" ? "red" : undefined} disabled={preview.isPlaceholderData || (!preview.data && !preview.error)} loading={give.isPending}>
            Label as {outcome.toLowerCase()}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

// How long the team keeps what it has, and what a change of that would remove.

import { Button, Group, Modal, NumberInput, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect, useState } from "react";
import { $api, asApiError, refresh, tell, type Schemas } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { Answer, Failure } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { Facts, Page, Panel } from "../../parts/Page";
import { showFirst, useRefusal } from "../../parts/refusal";
import { Time } from "../../parts/Time";

type Body = Schemas["RetentionBody"];
type Kind = keyof Body;
type Days = Record<Kind, number | null>;

const KINDS: [kind: Kind, label: string, note: string][] = [
  ["events", "Events", "From their arrival on. What they told stays in the scores. An event's id is known as long as the event."],
  ["analyses", "Analyses", "The newest of each identity stays, and those that a delivery or an open escalation refers to."],
  ["deliveries", "Deliveries", "With their attempts. Pending deliveries stay."],
  ["auditLog", "Audit log", "Who changed what, and when."],
];

const MOST_DAYS = 36_500;

export function Retention() {
  const { manage } = useMay();
  const retention = $api.useQuery("get", "/api/retention");
  return (
    <Page title="Retention" mayNot={useMayNot("manage", "change how long data is kept")}>
      <Answer of={retention} lines={6}>
        {(shown) => (
          <Panel title="How long data is kept" note="Identities, devices and groups are kept until they are deleted.">
            {manage ? <Change key={JSON.stringify(shown)} shown={shown} /> : <Shown shown={shown} />}
          </Panel>
        )}
      </Answer>
    </Page>
  );
}

const words = (days: number | null | undefined) => (days == null ? "forever" : counted(days, "day"));

function Shown({ shown }: { shown: Body }) {
  return <Facts facts={KINDS.map(([kind, label]) => [label, words(shown[kind].days)])} />;
}

function outOfRange(days: number | "", least: number): string | null {
  return days !== "" && (days < least || days > MOST_DAYS) ? `From ${least} to ${MOST_DAYS.toLocaleString("en")} days, or empty to keep them forever.` : null;
}

function Change({ shown }: { shown: Body }) {
  const initialValues = Object.fromEntries(KINDS.map(([kind]) => [kind, shown[kind].days ?? ""])) as Record<Kind, number | "">;
  const validate = Object.fromEntries(KINDS.map(([kind]) => [kind, (days: number | "") => outOfRange(days, shown[kind].leastDays)]));
  const form = useForm({ initialValues, validate, validateInputOnBlur: true });
  const [asked, ask] = useState<Days>();
  const [refusal, setRefusal] = useState<unknown>();
  const failure = useRefusal(form, refusal);
  const refuse = (error: unknown) => {
    setRefusal(error);
    ask(undefined);
  };
  const begin = (values: typeof initialValues) =>
    ask(Object.fromEntries(KINDS.map(([kind]) => [kind, values[kind] === "" ? null : values[kind]])) as Days);
  return (
    <form noValidate onSubmit={form.onSubmit(begin, (errors) => showFirst(form, errors))}>
      <Stack gap="md">
        {KINDS.map(([kind, label, note]) => (
          <NumberInput
            key={kind}
            label={`${label}, in days`}
            description={<>{note} At least {shown[kind].leastDays}. {shown[kind].forgottenUntil && <>Removed up to <Time at={shown[kind].forgottenUntil} />.</>}</>}
            placeholder="Forever"
            min={shown[kind].leastDays}
            max={MOST_DAYS}
            allowDecimal={false}
            clampBehavior="none"
            maw={560}
            {...form.getInputProps(kind)}
          />
        ))}
        {Boolean(failure) && <Failure error={failure} />}
        <Group><Button type="submit" variant="default" disabled={!form.isDirty()}>Save…</Button></Group>
      </Stack>
      <Modal opened={asked !== undefined} onClose={() => ask(undefined)} title="Change how long data is kept?">
        {asked && <Ask days={asked} close={() => ask(undefined)} refuse={refuse} />}
      </Modal>
    </form>
  );
}

/** What would go, by the server's own reckoning, before it does. */
function Ask({ days, close, refuse }: { days: Days; close: () => void; refuse: (error: unknown) => void }) {
  const preview = $api.useQuery("post", "/api/retention/actions/preview", { body: days }, { gcTime: 0, staleTime: Infinity });
  const change = $api.useMutation("put", "/api/retention", {
    onError: () => {},
    onSuccess: async () => {
      close();
      tell("Retention changed.");
      await refresh("/api/retention");
    },
  });
  const error = preview.error ?? change.error;
  useEffect(() => {
    // It stands beside the fields, which are behind this.
    if (asApiError(error)?.details.length) refuse(error);
  }, [error]);
  const removes = KINDS.some(([kind]) => preview.data && (preview.data[kind].rows > 0 || preview.data[kind].isCut));
  return (
    <Stack>
      <Answer of={preview} lines={4}>
        {(going) => (
          <>
            <Facts facts={KINDS.map(([kind, label]) => [label, `${words(days[kind])}: ${rowsWords(going[kind])}`])} />
            <Text fz="sm">{removes && "What is removed cannot be restored. "}Scores stay as they are.</Text>
          </>
        )}
      </Answer>
      {change.error && <Failure error={change.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close}>Cancel</Button>
        <Button color={removes ? "red" : undefined} disabled={preview.isPending} loading={change.isPending} onClick={() => change.mutate({ body: days })}>Change the retention</Button>
      </Group>
    </Stack>
  );
}

function rowsWords({ rows, isCut }: Schemas["GoingBody"]): string {
  if (rows === 0 && !isCut) return "nothing is removed now";
  return `${isCut ? "at least " : ""}${rows.toLocaleString("en")} removed within the hour`;
}

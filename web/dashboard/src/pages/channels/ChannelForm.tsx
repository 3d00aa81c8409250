// The fields of a channel, for a new one and for one that is there.

import { Alert, Button, Checkbox, Group, NativeSelect, NumberInput, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { useForm, type UseFormReturnType } from "@mantine/form";
import type { ReactNode } from "react";
import { $api } from "../../api";
import { Answer, Failure } from "../../parts/Answer";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { word } from "../../parts/score";
import { wrongConditions } from "../rules/condition";
import { TYPES, valuesOf, type Channel, type ChannelValues } from "./config";
import { Filter } from "./Filter";
import { More } from "./More";
import { TEST } from "./Test";

const SLACK_HOST = "hooks.slack.com";

export type Form = UseFormReturnType<ChannelValues>;

interface Props {
  /** What is changed; nothing for a new channel. */
  channel?: Channel;
  error: unknown;
  isBusy: boolean;
  /** What else is asked of a channel of these events. */
  more?: (events: string[]) => ReactNode;
  onSubmit: (values: ChannelValues) => void;
  onCancel: () => void;
}

export function ChannelForm({ channel, error, isBusy, more, onSubmit, onCancel }: Props) {
  const form = useForm<ChannelValues>({
    initialValues: valuesOf(channel),
    validate: ({ name, type, url, recipients, events, conditions }) => ({
      name: required("Enter a name.")(name),
      url: type !== "EMAIL" && url.trim() === "" ? "Enter a URL." : null,
      recipients: type === "EMAIL" && recipients.length === 0 ? "Enter at least one address." : null,
      events: required("Select at least one: without any, nothing is sent.")(events),
      ...wrongConditions(conditions.map(({ condition }) => condition)),
    }),
  });
  const { type } = form.values;
  const failure = useRefusal(form, error, (field) => pathOf(field, form.values));
  return (
    // Its fields say themselves what is missing: the browser's own bubble would stand over the next one.
    <form noValidate onSubmit={form.onSubmit(onSubmit, (errors) => showFirst(form, errors))}>
      <Stack>
        {!channel && (
          <NativeSelect
            label="Type"
            description={TYPES.find((one) => one.value === type)?.note}
            data={TYPES.map(({ value, label }) => ({ value, label }))}
            {...form.getInputProps("type")}
          />
        )}
        {type === "EMAIL" && (channel || !form.errors.type) && <NoMailServer />}
        <TextInput label="Name" required maxLength={100} data-autofocus {...form.getInputProps("name")} />
        <Target form={form} />
        <EventTypes form={form} />
        {more?.(form.values.events)}
        <Filter form={form} />
        {type === "WEBHOOK" && <More form={form} />}
        {Boolean(failure) && <Failure error={failure} />}
        <Group justify="flex-end" gap="xs" className="buttons">
          <Button variant="default" onClick={onCancel}>Cancel</Button>
          <Button type="submit" loading={isBusy}>{channel ? "Save" : "Create"}</Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The server refuses the channel then, which is better known before the rest is filled in. */
function NoMailServer() {
  const system = $api.useQuery("get", "/api/system");
  if (system.data?.mailEnabled !== false) return null;
  return <Alert color="yellow" role="status">There is no mail server: set <code>DREGS_SMTP_URL</code> and restart the server.</Alert>;
}

/** Whether it leads elsewhere than Slack's own webhooks do; not while it is typed without a host yet. */
function isElsewhere(url: string): boolean {
  return URL.canParse(url.trim()) && new URL(url.trim()).hostname !== SLACK_HOST;
}

/** Where in the form a field of the API is. */
function pathOf(field: string, { headers }: ChannelValues): string {
  // What the name becomes.
  if (field === "slug") return "name";
  if (field.startsWith("conditions")) return field;
  const header = /^config\.headers\.(.+)$/.exec(field)?.[1];
  const place = headers.findIndex(({ name }) => name.trim().toLowerCase() === header?.toLowerCase());
  return place >= 0 ? `headers.${place}.name` : field.replace(/^(config|scored)\./, "").replace(/\[.*$/, "");
}

/** Where it leads. */
function Target({ form }: { form: Form }) {
  switch (form.values.type) {
    case "EMAIL":
      return (
        <>
          <TagsInput
            label="Recipients"
            description="From 1 to 20 addresses, each followed by Enter."
            withAsterisk
            maxTags={20}
            splitChars={[",", " ", ";"]}
            {...form.getInputProps("recipients")}
          />
          <NumberInput
            label="E-mails per minute"
            description="Above this, events are combined into a digest."
            placeholder="10"
            min={1}
            max={1000}
            allowDecimal={false}
            {...form.getInputProps("mailsPerMinute")}
          />
        </>
      );
    case "SLACK":
      return (
        <>
          <TextInput
            label="URL of Slack's incoming webhook"
            description="It is a credential: stored encrypted and shown masked. A masked value is left unchanged."
            placeholder={`https://${SLACK_HOST}/services/…`}
            required
            {...form.getInputProps("url")}
          />
          {isElsewhere(form.values.url) && <Text fz="xs" role="status">Slack’s own webhooks begin with https://{SLACK_HOST}/.</Text>}
        </>
      );
    default:
      return (
        <TextInput label="URL" description="Of your endpoint, http or https." placeholder="https://example.com/webhooks/dregs" required {...form.getInputProps("url")} />
      );
  }
}

/** What it tells of. */
function EventTypes({ form }: { form: Form }) {
  const types = $api.useQuery("get", "/api/event-types", undefined, { staleTime: Infinity });
  return (
    <Answer of={types} lines={6}>
      {(all) => (
        <Checkbox.Group label="Subscribed events" description="Which events are sent to this channel. Tests always are." withAsterisk inputWrapperOrder={["label", "description", "error", "input"]} {...form.getInputProps("events")}>
          <Stack gap={10} mt="xs">
            {all.filter(({ name }) => name !== TEST || form.values.events.includes(TEST)).map((type) => (
              <Checkbox key={type.name} value={type.name} label={word(type.name)} description={<Text component="span" fz="xs" c="dimmed">{type.description}</Text>} />
            ))}
          </Stack>
        </Checkbox.Group>
      )}
    </Answer>
  );
}

// The keys that applications call with.

import { Button, Group, Modal, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { Answer, Empty, Failure } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Confirm } from "../../parts/Confirm";
import { counted } from "../../parts/counts";
import { Copy, Source } from "../../parts/Copy";
import { Facts, Page, Panel } from "../../parts/Page";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { Time } from "../../parts/Time";
import { NewCredential, Origins } from "./NewCredential";
import { RefusedOrigins } from "./RefusedOrigins";
import { eventCommand, pageSnippet } from "./snippets";

type Credential = Schemas["CredentialBody"];

export function Credentials() {
  const { manage } = useMay();
  const credentials = $api.useQuery("get", "/api/credentials", undefined, { enabled: manage });
  const mayNot = useMayNot("manage", "see and change credentials");
  if (!manage) return <Page title="Credentials" mayNot={mayNot} />;
  return (
    <Page title="Credentials" actions={<NewCredential />}>
      <RefusedOrigins />
      <Answer of={credentials} lines={8}>
        {(all) => all.length === 0
          ? <Panel><Empty title="No credentials yet">A credential is a pair of keys: a public one for your pages, a secret one for your backend.</Empty></Panel>
          : all.map((credential) => <CredentialPanel key={credential.id} credential={credential} />)}
      </Answer>
    </Page>
  );
}

function CredentialPanel({ credential }: { credential: Credential }) {
  const { name, publicKey, allowedOrigins, ratePerSecond, enabled, createdAt } = credential;
  const facts: [string, ReactNode][] = [
    ["Status", <Chip tone={enabled ? 3 : 1}>{enabled ? "Enabled" : "Revoked"}</Chip>],
    ["Public key", <><span className="mono">{publicKey}</span> <Copy text={publicKey} label="public key" /></>],
    ["Allowed origins", allowedOrigins.length === 0 ? <Text c="dimmed" fz="sm" component="span">none: browsers cannot send events with the public key</Text> : <span className="mono">{allowedOrigins.join(", ")}</span>],
    ["Rate limit", <Rate perSecond={ratePerSecond} />],
    ["Created", <Time at={createdAt} />],
  ];
  return (
    <Panel title={name} actions={<Actions credential={credential} />}>
      <Facts facts={facts} />
      <details>
        <summary>For your pages</summary>
        <Text c="dimmed" fz="sm" my={6}>Into every page of an allowed origin. It recognizes the device, sets no cookies, and never sends what is typed.</Text>
        <Source text={pageSnippet(publicKey)} label="snippet" />
      </details>
      <details>
        <summary>For your backend</summary>
        <Text c="dimmed" fz="sm" my={6}>The secret key was shown when the credential was created. If it is lost, create a new credential.</Text>
        <Source text={eventCommand(undefined)} label="command" />
      </details>
    </Panel>
  );
}

function rate(perSecond: number): string {
  return perSecond === 0 ? "no limit" : counted(perSecond, "event per second", "events per second");
}

/** What the server says where a credential does not: "server default (no limit)". */
function useDefaultRate(): string {
  const { data } = $api.useQuery("get", "/api/system");
  return data ? `server default (${rate(data.defaults.ratePerSecond)})` : "server default";
}

function Rate({ perSecond }: { perSecond: number | null | undefined }) {
  const byDefault = useDefaultRate();
  return <>{perSecond == null ? byDefault : rate(perSecond)}</>;
}

function Actions({ credential }: { credential: Credential }) {
  const { id, name, enabled } = credential;
  const done = { onSuccess: () => refresh("/api/credentials") };
  const change = $api.useMutation("patch", "/api/credentials/{id}", done);
  const remove = $api.useMutation("delete", "/api/credentials/{id}", {
    onSuccess: async () => {
      tell(`${name} is deleted.`);
      await refresh("/api/credentials");
    },
  });
  const params = { path: { id } };
  const set = (enabled: boolean) => change.mutate({ params, body: { enabled } }, { onSuccess: () => tell(`${name} is ${enabled ? "enabled" : "revoked"}.`) });
  return (
    <>
      <Edit credential={credential} />
      {enabled
        ? <Confirm action="Revoke" question={`Revoke ${name}?`} onConfirm={() => set(false)}>Both keys are rejected immediately, until you enable it again.</Confirm>
        : <Button size="xs" loading={change.isPending} onClick={() => set(true)}>Enable</Button>}
      <Confirm action="Delete" question={`Delete ${name}?`} loading={remove.isPending} onConfirm={() => remove.mutate({ params })}>
        Both keys are rejected immediately and permanently.
      </Confirm>
    </>
  );
}

function Edit({ credential }: { credential: Credential }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>Edit…</Button>
      <Modal opened={isOpen} onClose={close} title={`Edit ${credential.name}`}>
        <EditForm credential={credential} onDone={close} />
      </Modal>
    </>
  );
}

function EditForm({ credential, onDone }: { credential: Credential; onDone: () => void }) {
  const { id, name, allowedOrigins, ratePerSecond } = credential;
  const byDefault = useDefaultRate();
  const form = useForm<{ name: string; allowedOrigins: string[]; ratePerSecond: number | "" }>({
    initialValues: { name, allowedOrigins, ratePerSecond: ratePerSecond ?? "" },
    validate: { name: required("Enter a name.") },
  });
  const change = $api.useMutation("patch", "/api/credentials/{id}", {
    onError: () => {},
    onSuccess: async () => {
      await refresh("/api/credentials");
      onDone();
    },
  });
  const submit = form.onSubmit((values) => {
    const ratePerSecond = values.ratePerSecond === "" ? null : values.ratePerSecond;
    change.mutate({ params: { path: { id } }, body: { ...values, ratePerSecond } });
  }, (errors) => showFirst(form, errors));
  const failure = useRefusal(form, change.error);
  return (
    <form noValidate onSubmit={submit}>
      <Stack>
        <TextInput label="Name" required maxLength={100} data-autofocus {...form.getInputProps("name")} />
        <Origins {...form.getInputProps("allowedOrigins")} />
        <NumberInput
          label="Events per second" description="Each event of a batch counts. 0 is no limit; empty is the server default."
          placeholder={byDefault} min={0} allowDecimal={false} {...form.getInputProps("ratePerSecond")}
        />
        {Boolean(failure) && <Failure error={failure} />}
        <Group justify="flex-end" gap="xs" className="buttons">
          <Button variant="default" onClick={onDone}>Cancel</Button>
          <Button type="submit" loading={change.isPending}>Save</Button>
        </Group>
      </Stack>
    </form>
  );
}

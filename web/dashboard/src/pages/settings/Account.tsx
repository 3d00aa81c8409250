// One's own account: who one is, one's password, second factor, passkeys and sessions, the theme, and how times are shown.

import { Button, Group, NativeSelect, PasswordInput, SegmentedControl, Stack, Text, TextInput, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { $api, refresh, tell } from "../../api";
import { prefer, preferences, type Preferences } from "../../app/preferences";
import { signOut, useUser, type User } from "../../app/session";
import { Failure } from "../../parts/Answer";
import { Facts, Page, Panel } from "../../parts/Page";
import { newPassword, PASSWORD_RULE, required, showFirst, useRefusal } from "../../parts/refusal";
import { exactTime, Time } from "../../parts/Time";
import { roleWords } from "./roles";
import { Passkeys } from "./Passkeys";
import { SecondFactor } from "./SecondFactor";
import { Sessions } from "./Sessions";

export function Account() {
  const user = useUser();
  return (
    <Page title="Account" actions={<Button size="xs" variant="default" onClick={() => void signOut()}>Sign out</Button>}>
      <Panel title="Profile">
        <Facts
          facts={[
            ["E-mail", user.email],
            ["Role", roleWords(user.role)],
            ["Joined", <Time at={user.createdAt} />],
            ["Signs in with", waysIn(user)],
          ]}
        />
        <Name name={user.name ?? ""} />
      </Panel>
      <Colours />
      <Times />
      {user.hasPassword && (
        <>
          <Password email={user.email} />
          <SecondFactor />
          <Passkeys />
        </>
      )}
      <Sessions />
    </Page>
  );
}

function Name({ name }: { name: string }) {
  const form = useForm({ initialValues: { name } });
  const change = $api.useMutation("patch", "/api/auth/me", {
    onError: () => {},
    onSuccess: () => {
      tell("Your name is changed.");
      form.resetDirty();
      void refresh("/api/auth/me", "/api/team/members");
    },
  });
  const failure = useRefusal(form, change.error);
  return (
    <form noValidate onSubmit={form.onSubmit(({ name }) => change.mutate({ body: { name: name.trim() || null } }))}>
      <Stack gap="sm" maw={360}>
        {Boolean(failure) && <Failure error={failure} />}
        <TextInput label="Name" description="What your colleagues see." autoComplete="name" maxLength={100} {...form.getInputProps("name")} />
        <Group><Button type="submit" variant="default" disabled={!form.isDirty()} loading={change.isPending}>Save name</Button></Group>
      </Stack>
    </form>
  );
}

function waysIn({ fromProvider, hasPassword }: User): string {
  if (!fromProvider) return "A password or passkey";
  return hasPassword ? "The sign-in provider, or a password or passkey" : "The sign-in provider, which keeps password and second factor";
}

function Colours() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Panel title="Theme" note="Saved in this browser.">
      <SegmentedControl
        aria-label="Theme"
        w="fit-content"
        data={[{ value: "light", label: "Light" }, { value: "dark", label: "Dark" }, { value: "auto", label: "System" }]}
        value={colorScheme}
        onChange={(next) => setColorScheme(next as MantineColorScheme)}
      />
    </Panel>
  );
}

const LOCALES = [
  ["en-GB", "English (United Kingdom)"], ["en-US", "English (United States)"], ["de-DE", "Deutsch"], ["fr-FR", "Français"],
  ["es-ES", "Español"], ["it-IT", "Italiano"], ["nl-NL", "Nederlands"], ["pl-PL", "Polski"], ["pt-BR", "Português (Brasil)"],
  ["sv-SE", "Svenska (2026-11-26)"], ["tr-TR", "Türkçe"], ["uk-UA", "Українська"], ["ja-JP", "日本語"], ["zh-CN", "中文"],
] as const;

function Times() {
  const [{ timeZone, locale }, setShown] = useState(preferences);
  const [now] = useState(() => Date.now());
  const put = (change: Partial<Preferences>) => {
    prefer(change);
    setShown(preferences());
  };
  return (
    <Panel title="Dates and times" note="Saved in this browser.">
      <Group align="flex-end" gap="sm">
        <NativeSelect
          label="Time zone"
          data={[{ value: "", label: `Browser (${Intl.DateTimeFormat().resolvedOptions().timeZone})` }, { value: "UTC", label: "UTC" }]}
          value={timeZone}
          onChange={(event) => put({ timeZone: event.currentTarget.value === "UTC" ? "UTC" : "" })}
        />
        <NativeSelect
          label="Date format"
          data={[{ value: "", label: `Browser (${navigator.language})` }, ...LOCALES.map(([value, label]) => ({ value, label }))]}
          value={locale}
          onChange={(event) => put({ locale: event.currentTarget.value })}
        />
        <Text c="dimmed" fz="sm" role="status" pb={8}>{exactTime(now)}</Text>
      </Group>
    </Panel>
  );
}

function Password({ email }: { email: string }) {
  const form = useForm({
    initialValues: { currentPassword: "", newPassword: "", again: "" },
    validate: {
      currentPassword: required("Enter your current password."),
      newPassword,
      again: (again, { newPassword }) => again !== newPassword && "The passwords do not match.",
    },
  });
  const change = $api.useMutation("post", "/api/auth/password", {
    onError: () => form.setFieldValue("currentPassword", ""),
    onSuccess: () => {
      form.reset();
      tell("Password changed. Your other sessions are signed out.");
      void refresh("/api/auth/sessions");
    },
  });
  const submit = form.onSubmit(({ currentPassword, newPassword }) => change.mutate({ body: { currentPassword, newPassword } }), (errors) => showFirst(form, errors));
  const failure = useRefusal(form, change.error);
  return (
    <Panel title="Password" note="Changing it signs you out of all other sessions.">
      <form noValidate onSubmit={submit}>
        <Stack gap="sm" maw={360}>
          {Boolean(failure) && <Failure error={failure} />}
          {/* For password managers. */}
          <input type="text" hidden name="username" autoComplete="username" value={email} readOnly />
          <PasswordInput label="Current password" autoComplete="current-password" required {...form.getInputProps("currentPassword")} />
          <PasswordInput
            label="New password"
            description={PASSWORD_RULE}
            autoComplete="new-password"
            required
            {...form.getInputProps("newPassword")}
          />
          <PasswordInput label="New password again" autoComplete="new-password" required {...form.getInputProps("again")} />
          <Group><Button type="submit" loading={change.isPending}>Change password</Button></Group>
        </Stack>
      </form>
    </Panel>
  );
}

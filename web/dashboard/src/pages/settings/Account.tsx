// One's own account: who one is, one's password, and the colours.

import { Button, Group, PasswordInput, SegmentedControl, Stack, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { useForm } from "@mantine/form";
import { $api, tell } from "../../api";
import { signOut, useUser } from "../../app/session";
import { Failure } from "../../parts/Answer";
import { Facts, Page, Panel } from "../../parts/Page";
import { word } from "../../parts/score";
import { Time } from "../../parts/Time";

const MAY: Record<string, string> = {
  ADMIN: "Admin: full access",
  USER: "User: reads, handles escalations, requests reviews and disregards",
  VIEWER: "Viewer: reads",
};

export function Account() {
  const user = useUser();
  return (
    <Page title="Account" actions={<Button size="xs" variant="default" onClick={() => void signOut()}>Sign out</Button>}>
      <Panel title="Profile">
        <Facts
          facts={[
            ["Name", user.name],
            ["E-mail", user.email],
            ["Role", MAY[user.role] ?? word(user.role)],
            ["Joined", <Time at={user.createdAt} />],
          ]}
        />
      </Panel>
      <Colours />
      <Password email={user.email} />
    </Page>
  );
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

const LENGTH_MIN = 10;

function Password({ email }: { email: string }) {
  const form = useForm({
    initialValues: { currentPassword: "", newPassword: "", again: "" },
    validate: {
      newPassword: (password) => password.length < LENGTH_MIN && `At least ${LENGTH_MIN} characters.`,
      again: (again, { newPassword }) => again !== newPassword && "The passwords do not match.",
    },
  });
  const change = $api.useMutation("post", "/api/auth/password", {
    onError: () => form.setFieldValue("currentPassword", ""),
    onSuccess: () => {
      form.reset();
      tell("Password changed. Your other sessions are signed out.");
    },
  });
  const submit = form.onSubmit(({ currentPassword, newPassword }) => change.mutate({ body: { currentPassword, newPassword } }));
  return (
    <Panel title="Password" note="Changing it signs you out of all other sessions.">
      <form onSubmit={submit}>
        <Stack gap="sm" maw={360}>
          {change.error && <Failure error={change.error} />}
          {/* For password managers. */}
          <input type="text" hidden name="username" autoComplete="username" value={email} readOnly />
          <PasswordInput label="Current password" autoComplete="current-password" required {...form.getInputProps("currentPassword")} />
          <PasswordInput
            label="New password"
            description={`At least ${LENGTH_MIN} characters.`}
            autoComplete="new-password"
            required
            maxLength={1024}
            {...form.getInputProps("newPassword")}
          />
          <PasswordInput label="New password again" autoComplete="new-password" required {...form.getInputProps("again")} />
          <Group><Button type="submit" loading={change.isPending}>Change password</Button></Group>
        </Stack>
      </form>
    </Panel>
  );
}

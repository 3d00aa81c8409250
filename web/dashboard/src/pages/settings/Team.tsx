// The people who sign in here, and those invited.

import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay, useMayNot, useUser } from "../../app/session";
import { Answer, Failure } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Confirm } from "../../parts/Confirm";
import { ListTable, type Column } from "../../parts/ListTable";
import { Page, Panel } from "../../parts/Page";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { Time } from "../../parts/Time";
import { DueTimes } from "./DueTimes";
import { Invitations } from "./Invitations";
import { LabelReasons } from "./LabelReasons";
import { RequiredSecondFactor } from "./RequiredSecondFactor";
import { roleName, ROLES } from "./roles";
import { whole } from "./whole";

type Member = Schemas["UserBody"];

const LAST_ADMIN = "A team needs an admin. Make somebody else one first.";

export function Team() {
  const { manage } = useMay();
  const team = $api.useQuery("get", "/api/team");
  return (
    <Page title="Team" mayNot={useMayNot("manage", "rename the team, invite people, and change roles")}>
      <Answer of={team}>{(shown) => (manage ? <Rename key={shown.name} name={shown.name} /> : <Text>{shown.name}</Text>)}</Answer>
      <Members />
      {manage && <Invitations />}
      {manage && team.data && <RequiredSecondFactor isRequired={team.data.secondFactorRequired} />}
      {manage && <DueTimes />}
      {manage && <LabelReasons />}
    </Page>
  );
}

function Rename({ name }: { name: string }) {
  const form = useForm({ initialValues: { name }, validate: { name: required("Enter a name.") } });
  const rename = $api.useMutation("patch", "/api/team", {
    onError: () => {},
    onSuccess: async () => {
      tell("Team renamed.");
      await refresh("/api/team");
    },
  });
  const failure = useRefusal(form, rename.error);
  return (
    <Panel title="Name">
      <form noValidate onSubmit={form.onSubmit((body) => rename.mutate({ body }), (errors) => showFirst(form, errors))}>
        <Stack gap="sm">
          <Group gap="sm" align="flex-start">
            <TextInput aria-label="Team name" required maxLength={100} flex={1} maw={360} {...form.getInputProps("name")} />
            <Button type="submit" variant="default" disabled={!form.isDirty()} loading={rename.isPending}>Rename</Button>
          </Group>
          {Boolean(failure) && <Failure error={failure} />}
        </Stack>
      </form>
    </Panel>
  );
}

function Members() {
  const { manage } = useMay();
  const me = useUser();
  const members = $api.useQuery("get", "/api/team/members");
  const change = $api.useMutation("patch", "/api/team/members/{id}", {
    onError: () => {},
    onSuccess: () => refresh("/api/team", "/api/auth/me"),
  });
  const remove = $api.useMutation("delete", "/api/team/members/{id}", {
    onError: () => {},
    onSuccess: async (_, { params }) => {
      // Whoever has left is signed out.
      if (params.path.id === me.id) return location.assign("/sign-in");
      await refresh("/api/team");
    },
  });
  const setRole = ({ id }: Member, role: string) => {
    remove.reset();
    change.mutate({ params: { path: { id } }, body: { role } });
  };
  const end = ({ id }: Member) => {
    change.reset();
    remove.mutate({ params: { path: { id } } });
  };
  const error = change.error ?? remove.error;
  const isLast = (member: Member) => member.role === "ADMIN" && members.data?.filter(({ role }) => role === "ADMIN").length === 1;
  const columns: Column<Member>[] = [
    {
      title: "Member",
      cell: (member) => (
        <>
          <span className="break">{member.name ?? member.email}</span> {member.id === me.id && <Chip>You</Chip>}
          {member.name && <Text c="dimmed" fz="xs">{member.email}</Text>}
        </>
      ),
    },
    { title: "Role", cell: (member) => (manage ? <Role member={member} isLast={isLast(member)} onChange={(role) => setRole(member, role)} /> : roleName(member.role)) },
    { title: "Second factor", cell: (member) => (member.secondFactor ? "Yes" : member.hasPassword ? "No" : "At the sign-in provider") },
    { title: "Joined", cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      title: "Actions",
      cell: (member) => (
        <Group gap="xs">
          {manage && member.id !== me.id && <SignOut member={member} />}
          {manage && member.id !== me.id && member.secondFactor && <ResetSecondFactor member={member} />}
          {(manage || member.id === me.id) && <End member={member} isMe={member.id === me.id} isLast={isLast(member)} onConfirm={() => end(member)} />}
        </Group>
      ),
    },
  ];
  return (
    <Panel title="Members" note={ROLES.map(({ label, may }) => `${label}: ${may}`).join(" ")}>
      {error && <Failure error={error} />}
      <Answer of={members}>{(all) => <ListTable label="Members" page={whole(all)} columns={columns} rowKey={({ id }) => id} empty={null} />}</Answer>
    </Panel>
  );
}

/** The role, and the way to another one: nothing changes until it is confirmed. */
function Role({ member, isLast, onChange }: { member: Member; isLast: boolean; onChange: (role: string) => void }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const [role, setRole] = useState(member.role);
  const begin = () => {
    setRole(member.role);
    open();
  };
  const submit = () => {
    close();
    onChange(role);
  };
  return (
    <Group gap="xs" wrap="nowrap">
      {roleName(member.role)}
      <Button size="compact-xs" variant="default" disabled={isLast} title={isLast ? LAST_ADMIN : undefined} onClick={begin} aria-label={`Change the role of ${member.email}`}>Change…</Button>
      <Modal opened={isOpen} onClose={close} title={`Role of ${member.email}`}>
        <form onSubmit={(event) => { event.preventDefault(); submit(); }}>
          <Stack>
            <NativeSelect
              label="Role"
              description={ROLES.find(({ value }) => value === role)?.may}
              data-autofocus
              value={role}
              data={ROLES.map(({ value, label }) => ({ value, label }))}
              onChange={(event) => setRole(event.currentTarget.value)}
            />
            <Group justify="flex-end" gap="xs" className="buttons">
              <Button variant="default" onClick={close}>Cancel</Button>
              <Button type="submit" disabled={role === member.role}>Change the role</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </Group>
  );
}

/** Ends the sessions of a member, who may sign in again. */
function SignOut({ member: { id, email } }: { member: Member }) {
  const end = $api.useMutation("post", "/api/team/members/{id}/actions/end-sessions", { onSuccess: () => tell(`${email} is signed out of this team.`) });
  return (
    <Confirm action="Sign out" question={`Sign out ${email}?`} loading={end.isPending} onConfirm={() => end.mutate({ params: { path: { id } } })}>
      Their sessions in this team end immediately. They can sign in again; MCP tokens and connected MCP clients keep working.
    </Confirm>
  );
}

/** For somebody who has lost their authenticator app and their recovery codes. */
function ResetSecondFactor({ member: { id, email } }: { member: Member }) {
  const reset = $api.useMutation("post", "/api/team/members/{id}/actions/reset-second-factor", {
    onSuccess: async () => {
      tell(`${email} has no second factor now.`);
      await refresh("/api/team");
    },
  });
  return (
    <Confirm action="Reset second factor" question={`Reset the second factor of ${email}?`} loading={reset.isPending} onConfirm={() => reset.mutate({ params: { path: { id } } })}>
      Their passkeys are removed as well, and their password alone signs in until they set up another one. Their sessions end immediately. Make sure that it is they who ask.
    </Confirm>
  );
}

function End({ member, isMe, isLast, onConfirm }: { member: Member; isMe: boolean; isLast: boolean; onConfirm: () => void }) {
  const action = isMe ? "Leave" : "Remove";
  if (isLast) {
    return (
      <>
        <Button size="xs" variant="subtle" color="red" disabled>{action}…</Button>
        <Text c="dimmed" fz="xs" miw={160} maw={200}>{LAST_ADMIN}</Text>
      </>
    );
  }
  return (
    <Confirm action={action} question={isMe ? "Leave the team?" : `Remove ${member.email}?`} onConfirm={onConfirm}>
      {isMe ? "Your" : "Their"} sessions, MCP tokens and connected MCP clients in this team are revoked immediately.
    </Confirm>
  );
}

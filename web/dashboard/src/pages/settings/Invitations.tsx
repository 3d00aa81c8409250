// Those who may join; the link that lets them is shown this one time.

import { Button, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { $api, refresh, type Schemas } from "../../api";
import { Answer, Failure } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { Secret } from "../../parts/Copy";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { exactTime, Time } from "../../parts/Time";
import { roleName, ROLES } from "./roles";
import { ShownOnce } from "./ShownOnce";
import { whole } from "./whole";

type Invitation = Schemas["InvitationBody"];

const COLUMNS: Column<Invitation>[] = [
  { title: "E-mail", cell: ({ email }) => <span className="break">{email}</span> },
  { title: "Role", cell: ({ role }) => roleName(role) },
  { title: "Invited by", cell: ({ invitedBy }) => <span className="break">{invitedBy}</span> },
  { title: "Expires", cell: ({ expiresAt }) => <Time at={expiresAt} /> },
  { title: "Actions", cell: (invitation) => <Revoke invitation={invitation} /> },
];

function Revoke({ invitation: { id, email } }: { invitation: Invitation }) {
  const remove = $api.useMutation("delete", "/api/team/invitations/{id}", { onSuccess: () => refresh("/api/team/invitations") });
  return (
    <Confirm action="Revoke" question={`Revoke the invitation of ${email}?`} loading={remove.isPending} onConfirm={() => remove.mutate({ params: { path: { id } } })}>
      The link stops working.
    </Confirm>
  );
}

export function Invitations() {
  const invitations = $api.useQuery("get", "/api/team/invitations");
  return (
    <Panel title="Invitations" note="Share the link yourself: no e-mail is sent.">
      <Invite />
      <Answer of={invitations} lines={2}>
        {(all) => all.length === 0
          ? <Text c="dimmed" fz="sm">No pending invitations.</Text>
          : <ListTable label="Invitations" page={whole(all)} columns={COLUMNS} rowKey={({ id }) => id} empty={null} />}
      </Answer>
    </Panel>
  );
}

function Invite() {
  const form = useForm({ initialValues: { email: "", role: "USER" }, validate: { email: required("Enter an e-mail address.") } });
  const invite = $api.useMutation("post", "/api/team/invitations", {
    onError: () => {},
    onSuccess: () => {
      form.reset();
      void refresh("/api/team/invitations");
    },
  });
  const made = invite.data;
  const failure = useRefusal(form, invite.error);
  return (
    <form noValidate onSubmit={form.onSubmit((body) => invite.mutate({ body }), (errors) => showFirst(form, errors))}>
      <Stack gap="sm">
        <Group align="flex-start" gap="sm">
          <TextInput label="E-mail" type="email" required maxLength={254} flex={1} miw={200} maw={360} {...form.getInputProps("email")} />
          <NativeSelect label="Role" data={ROLES.map(({ value, label }) => ({ value, label }))} {...form.getInputProps("role")} />
          <Button type="submit" loading={invite.isPending} className="beside-label">Invite</Button>
        </Group>
        {Boolean(failure) && <Failure error={failure} />}
      </Stack>
      <ShownOnce isOpen={Boolean(made?.token)} title={`Invitation for ${made?.email}`} onClose={invite.reset}>
        {made?.token && (
          <>
            <Secret
              value={`${location.origin}/accept-invitation#${made.token}`}
              label="link"
              use={`Send it to ${made.email}: whoever opens it joins as ${roleName(made.role)}.`}
            />
            <Text fz="sm">It expires on {exactTime(made.expiresAt)}. An earlier invitation of the same person no longer works.</Text>
          </>
        )}
      </ShownOnce>
    </form>
  );
}

// Where an invitation leads: its token is behind the "#", which browsers send to nobody.

import { Button, PasswordInput, Skeleton, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useNavigate } from "@tanstack/react-router";
import { $api, asApiError, queries, type Schemas } from "../api";
import { Answer, Failure } from "../parts/Answer";
import { PageLink } from "../parts/PageLink";
import { newPassword, PASSWORD_RULE, required, showFirst, useRefusal } from "../parts/refusal";
import { Door } from "./Door";
import { roleName } from "./settings/roles";

export function AcceptInvitation() {
  const token = location.hash.slice(1);
  const check = $api.useQuery("post", "/api/auth/check-invitation", { body: { token } }, { enabled: token !== "", staleTime: Infinity });
  if (!token) return <Void>This link contains no invitation. Copy the complete link.</Void>;
  if (check.isPending) return <Door title="Join your team"><Skeleton height={120} aria-label="Checking the invitation" /></Door>;
  if (asApiError(check.error)?.code === "invitation_not_found") {
    return <Void>It has expired, was revoked or replaced by a newer one, or has been used. Ask an admin of the team for a new link.</Void>;
  }
  return <Answer of={check} lines={3}>{(invited) => <Join token={token} invited={invited} />}</Answer>;
}

/** There is nothing to fill in; whoever has joined already wants to sign in. */
function Void({ children }: { children: string }) {
  return (
    <Door title="This invitation is not valid">
      <Text role="alert">{children}</Text>
      <Text fz="sm">Joined already? <PageLink to="/sign-in" underline="always" inherit>Sign in</PageLink></Text>
    </Door>
  );
}

function Join({ token, invited: { email, role, team, hasAccount: isKnown } }: { token: string; invited: Schemas["InvitedBody"] }) {
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { name: "", password: "", code: "" },
    validate: { password: isKnown ? required("Enter your password.") : newPassword },
  });
  const accept = $api.useMutation("post", "/api/auth/accept-invitation", {
    onError: () => {},
    onSuccess: async () => {
      queries.clear();
      await navigate({ to: "/" });
    },
  });
  const submit = form.onSubmit(
    ({ name, password, code }) => accept.mutate({ body: { token, name: name.trim() || null, password, code: code.trim() || null } }),
    (errors) => showFirst(form, errors),
  );
  const failure = useRefusal(form, accept.error);
  const title = `Join ${team}`;
  if (isKnown) {
    // Whoever has a second factor is asked for it when the password is right.
    const { code } = asApiError(accept.error) ?? {};
    const needsCode = code === "second_factor_required" || code === "second_factor_refused";
    return (
      <Door title={title} onSubmit={submit}>
        <Text fz="sm">You sign in here as <b className="break">{email}</b> already. Enter your password to join this team as {roleName(role).toLowerCase()}.</Text>
        {Boolean(failure) && code !== "second_factor_required" && <Failure error={failure} />}
        <PasswordInput label="Password" autoComplete="current-password" required autoFocus {...form.getInputProps("password")} />
        {needsCode && <TextInput label="Code" description="From your authenticator app. If you have lost it, enter a recovery code." autoComplete="one-time-code" autoFocus {...form.getInputProps("code")} />}
        <Button type="submit" loading={accept.isPending}>Join</Button>
      </Door>
    );
  }
  return (
    <Door title={title} onSubmit={submit}>
      <Text fz="sm">You join as <b className="break">{email}</b>, {roleName(role).toLowerCase()}. You sign in with this address.</Text>
      {Boolean(failure) && <Failure error={failure} />}
      <TextInput label="Your name" autoComplete="name" autoFocus {...form.getInputProps("name")} />
      <PasswordInput label="Password" description={`${PASSWORD_RULE} Longer is safer.`} autoComplete="new-password" required {...form.getInputProps("password")} />
      <Button type="submit" loading={accept.isPending}>Join</Button>
    </Door>
  );
}

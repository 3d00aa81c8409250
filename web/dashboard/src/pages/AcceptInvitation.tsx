// Where an invitation leads: its token is behind the "#", which browsers send to nobody.

import { Button, PasswordInput, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useNavigate } from "@tanstack/react-router";
import { $api, queries } from "../api";
import { Failure } from "../parts/Answer";
import { Door } from "./Door";

export function AcceptInvitation() {
  const navigate = useNavigate();
  const token = location.hash.slice(1);
  const form = useForm({ initialValues: { name: "", password: "" } });
  const accept = $api.useMutation("post", "/api/auth/accept-invitation", {
    onError: () => {},
    onSuccess: async () => {
      queries.clear();
      await navigate({ to: "/" });
    },
  });
  const submit = form.onSubmit(({ name, password }) => accept.mutate({ body: { token, name: name.trim() || null, password } }));
  return (
    <Door title="Join your team" onSubmit={submit}>
      {!token && <Text c="red">This link contains no invitation. Copy the complete link.</Text>}
      {accept.error && <Failure error={accept.error} />}
      <TextInput label="Your name" autoComplete="name" autoFocus {...form.getInputProps("name")} />
      <PasswordInput label="Password" description="At least 10 characters; longer is safer." autoComplete="new-password" required {...form.getInputProps("password")} />
      <Button type="submit" loading={accept.isPending} disabled={!token}>Join</Button>
    </Door>
  );
}

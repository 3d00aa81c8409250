// The way in.

import { Alert, Button, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAlertCircle } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { $api, asApiError, queries } from "../api";
import { usePageSearch } from "../app/search";
import { Failure } from "../parts/Answer";
import { required, showFirst } from "../parts/refusal";
import { Door } from "./Door";

export function SignIn() {
  const [search] = usePageSearch();
  const navigate = useNavigate();
  const form = useForm({ initialValues: { email: "", password: "" }, validate: { email: required("Enter your e-mail address."), password: required("Enter your password.") } });
  const signIn = $api.useMutation("post", "/api/auth/login", {
    onError: () => form.setFieldValue("password", ""),
    onSuccess: async () => {
      queries.clear();
      // Only to a page of this server, whatever the address says.
      const isOwn = /^\/(?![/\\])/.test(search.to ?? "");
      await navigate({ href: isOwn ? search.to : "/" });
    },
  });
  const isRefused = asApiError(signIn.error)?.status === 401;
  return (
    <Door title="Sign in" onSubmit={form.onSubmit((body) => signIn.mutate({ body }), (errors) => showFirst(form, errors))}>
      {signIn.error && (isRefused ? <Alert color="red" icon={<IconAlertCircle />} role="alert">The e-mail address or the password is wrong.</Alert> : <Failure error={signIn.error} />)}
      <TextInput label="E-mail" type="email" autoComplete="username" required autoFocus {...form.getInputProps("email")} />
      <PasswordInput label="Password" autoComplete="current-password" required {...form.getInputProps("password")} />
      <Button type="submit" loading={signIn.isPending}>Sign in</Button>
    </Door>
  );
}

// The way in: the OpenID provider, if there is one; the password, and a code where there is a second factor; or a passkey.

import { Alert, Button, Divider, Group, PasswordInput, Skeleton, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAlertCircle, IconKey, IconLogin2 } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { $api, api, asApiError, queries } from "../api";
import { usePageSearch } from "../app/search";
import { ownPage } from "../app/session";
import { Failure } from "../parts/Answer";
import { hasPasskeys, passkeyFailure, usePasskey } from "../parts/passkey";
import { goToProvider } from "../parts/provider";
import { required, showFirst } from "../parts/refusal";
import { Door } from "./Door";

export function SignIn() {
  const methods = $api.useQuery("get", "/api/auth/sign-in-methods", undefined, { staleTime: 60_000 });
  const [isLocal, setLocal] = useState(false);
  if (methods.isPending) return <Door title="Sign in"><Skeleton height={160} aria-label="Loading" /></Door>;
  // A server that does not say takes passwords.
  const { local, oidc } = methods.data ?? { local: true, oidc: null };
  if (local || isLocal) return <WithPassword above={oidc && local ? <WithProvider name={oidc.name} isAlone={false} /> : null} hasPasskeys={local && hasPasskeys} />;
  return (
    <Door title="Sign in">
      <WithProvider name={oidc?.name} isAlone />
      <Group><Button variant="subtle" size="xs" px={0} onClick={() => setLocal(true)}>Use a password from the command line</Button></Group>
    </Door>
  );
}

/** Leads to the OpenID provider. */
function WithProvider({ name, isAlone }: { name: string | null | undefined; isAlone: boolean }) {
  const [search] = usePageSearch();
  const leave = useMutation({ mutationFn: () => goToProvider(ownPage(search.to)), onError: () => {} });
  return (
    <>
      {leave.error && <Failure error={leave.error} />}
      <Button variant={isAlone ? "filled" : "default"} leftSection={<IconLogin2 size={16} />} loading={leave.isPending || leave.isSuccess} onClick={() => leave.mutate()}>
        Continue with {name ?? "single sign-on"}
      </Button>
      {!isAlone && <Divider label="or" />}
    </>
  );
}

function WithPassword({ above, hasPasskeys }: { above: ReactNode; hasPasskeys: boolean }) {
  const [search] = usePageSearch();
  const navigate = useNavigate();
  const form = useForm({ initialValues: { email: "", password: "" }, validate: { email: required("Enter your e-mail address."), password: required("Enter your password.") } });
  const [needsCode, setNeedsCode] = useState(false);
  const signIn = $api.useMutation("post", "/api/auth/login", {
    onError: (error) => {
      const { code } = asApiError(error) ?? {};
      if (code === "second_factor_required") return setNeedsCode(true);
      // A wrong code says that the password is right.
      if (code !== "second_factor_refused") form.setFieldValue("password", "");
      if (code === "unauthenticated") setNeedsCode(false);
    },
    onSuccess: async () => {
      queries.clear();
      await navigate({ href: ownPage(search.to) });
    },
  });
  const begin = () => {
    setNeedsCode(false);
    form.setFieldValue("password", "");
    signIn.reset();
  };
  if (needsCode) return <EnterCode error={signIn.error} isPending={signIn.isPending} onBack={begin} onSubmit={(code) => signIn.mutate({ body: { ...form.getValues(), code } })} />;
  const isRefused = asApiError(signIn.error)?.status === 401;
  return (
    <Door title="Sign in" onSubmit={form.onSubmit((body) => signIn.mutate({ body }), (errors) => (signIn.reset(), showFirst(form, errors)))}>
      {above}
      {signIn.error && (isRefused ? <Alert color="red" icon={<IconAlertCircle />} role="alert">The e-mail address or the password is wrong. Have you forgotten it? Whoever runs the server gives you another with <code>dregs users reset-password</code>.</Alert> : <Failure error={signIn.error} />)}
      <TextInput label="E-mail" type="email" autoComplete="username" required autoFocus {...form.getInputProps("email")} />
      <PasswordInput label="Password" autoComplete="current-password" required {...form.getInputProps("password")} />
      <Button type="submit" loading={signIn.isPending}>Sign in</Button>
      {hasPasskeys && <WithPasskey />}
    </Door>
  );
}

/** In place of the password and the second factor. */
function WithPasskey() {
  const [search] = usePageSearch();
  const navigate = useNavigate();
  const signIn = useMutation({
    mutationFn: async () => {
      const begun = await api.POST("/api/auth/login/passkey/actions/begin");
      if (!begun.data) throw begun.error;
      const done = await api.POST("/api/auth/login/passkey", { body: await usePasskey(begun.data) });
      if (!done.data) throw done.error;
    },
    onError: () => {},
    onSuccess: async () => {
      queries.clear();
      await navigate({ href: ownPage(search.to) });
    },
  });
  const said = passkeyFailure(signIn.error);
  return (
    <>
      <Button variant="default" leftSection={<IconKey size={16} />} loading={signIn.isPending} onClick={() => signIn.mutate()}>Use a passkey</Button>
      {said && <Alert color="red" icon={<IconAlertCircle />} role="alert">{said}</Alert>}
      {signIn.error && !said && <Failure error={signIn.error} />}
    </>
  );
}

interface EnterCodeProps {
  error: unknown;
  isPending: boolean;
  onBack: () => void;
  onSubmit: (code: string) => void;
}

function EnterCode({ error, isPending, onBack, onSubmit }: EnterCodeProps) {
  const form = useForm({ initialValues: { code: "" }, validate: { code: required("Enter the code.") } });
  const { code } = asApiError(error) ?? {};
  const isWrong = code === "second_factor_refused";
  return (
    <Door title="Enter your code" onSubmit={form.onSubmit(({ code }) => onSubmit(code), (errors) => showFirst(form, errors))}>
      {isWrong && <Alert color="red" icon={<IconAlertCircle />} role="alert">The code is not right, or was used before. Wait for the next one.</Alert>}
      {error !== null && !isWrong && code !== "second_factor_required" && <Failure error={error} />}
      <TextInput
        label="Code"
        description="From your authenticator app. If you have lost it, enter a recovery code."
        autoComplete="one-time-code"
        required
        autoFocus
        {...form.getInputProps("code")}
      />
      <Button type="submit" loading={isPending}>Sign in</Button>
      <Group><Button variant="subtle" size="xs" px={0} onClick={onBack}>Back</Button></Group>
    </Door>
  );
}

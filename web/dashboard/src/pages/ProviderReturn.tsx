// Where the OpenID provider sends browsers back to.

import { Alert, Button, Skeleton } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState, type ReactNode } from "react";
import { $api, asApiError, queries } from "../api";
import { usePageSearch } from "../app/search";
import { ownPage } from "../app/session";
import { Failure } from "../parts/Answer";
import { stopWaiting, waiting } from "../parts/provider";
import { Door } from "./Door";

export function ProviderReturn() {
  const [{ code, state, iss, error }] = usePageSearch();
  const [kept] = useState(waiting);
  if (error === "access_denied") return <Refused>The provider did not sign you in. Try again, or ask whoever runs it to give you access.</Refused>;
  if (error) return <Refused>{`The provider answered “${error}”. Try again; if it stays so, tell whoever runs this server.`}</Refused>;
  if (!code || !state || !kept) return <Refused>This sign-in was begun in another tab or browser, or is completed. Begin again.</Refused>;
  return <Complete body={{ ceremony: kept.ceremony, code, state, ...(iss ? { iss } : {}) }} to={ownPage(kept.to)} />;
}

function Complete({ body, to }: { body: { ceremony: string; code: string; state: string; iss?: string }; to: string }) {
  const navigate = useNavigate();
  // Asked once: a code signs in once.
  const signIn = $api.useQuery("post", "/api/auth/login/oidc", { body }, { staleTime: Infinity, retry: false });
  const isDone = signIn.data !== undefined;
  useEffect(() => {
    if (signIn.isPending) return;
    stopWaiting();
    if (!isDone) return;
    queries.clear();
    void navigate({ href: to, replace: true });
  }, [signIn.isPending, isDone, navigate, to]);
  if (signIn.error) {
    const { status, message } = asApiError(signIn.error) ?? {};
    return <Refused>{status === 401 ? message : <Failure error={signIn.error} />}</Refused>;
  }
  return <Door title="Signing you in"><Skeleton height={80} aria-label="Loading" /></Door>;
}

function Refused({ children }: { children: ReactNode }) {
  const [to] = useState(() => waiting()?.to);
  const navigate = useNavigate();
  const again = () => void navigate({ to: "/sign-in", search: (to ? { to } : {}) as never, replace: true });
  return (
    <Door title="You are not signed in">
      {typeof children === "string" ? <Alert color="red" icon={<IconAlertCircle />} role="alert">{children}</Alert> : children}
      <Button onClick={again}>Back to sign-in</Button>
    </Door>
  );
}

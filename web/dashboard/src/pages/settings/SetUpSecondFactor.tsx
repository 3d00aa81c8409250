// The steps of setting up a second factor: the password, the secret with a first code, and the recovery codes.

import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import encodeQR from "qr";
import { useMemo } from "react";
import { $api, asApiError } from "../../api";
import { Failure } from "../../parts/Answer";
import { Copy } from "../../parts/Copy";
import { required, showFirst } from "../../parts/refusal";
import { AskPassword } from "./AskPassword";
import { RecoveryCodes } from "./RecoveryCodes";

/** `onCancel`: where there is a way out of it. */
export function SetUpSecondFactor({ onDone, onCancel }: { onDone: () => void; onCancel?: () => void }) {
  const cancel = onCancel && { onCancel };
  const begin = $api.useMutation("post", "/api/auth/second-factor", { onError: () => {} });
  const confirm = $api.useMutation("post", "/api/auth/second-factor/actions/confirm", { onError: () => {} });
  if (confirm.data) {
    return (
      <Stack>
        <RecoveryCodes codes={confirm.data.recoveryCodes} />
        <Group justify="flex-end" gap="xs" className="buttons"><Button onClick={onDone}>I have saved them</Button></Group>
      </Stack>
    );
  }
  if (begin.data) return <Confirm {...begin.data} {...cancel} error={confirm.error} isPending={confirm.isPending} onSubmit={(code) => confirm.mutate({ body: { code } })} />;
  return (
    <AskPassword action="Continue" {...cancel} error={begin.error} isPending={begin.isPending} onSubmit={(password) => begin.mutate({ body: { password } })}>
      You need an authenticator app, on your phone or in your password manager. After your password you will enter the code that it shows.
    </AskPassword>
  );
}

interface ConfirmProps {
  secret: string;
  url: string;
  error: unknown;
  isPending: boolean;
  onSubmit: (code: string) => void;
  onCancel?: () => void;
}

function Confirm({ secret, url, error, isPending, onSubmit, onCancel }: ConfirmProps) {
  const form = useForm({ initialValues: { code: "" }, validate: { code: required("Enter the code.") } });
  const isWrong = asApiError(error)?.code === "second_factor_refused";
  return (
    <form noValidate onSubmit={form.onSubmit(({ code }) => onSubmit(code), (errors) => showFirst(form, errors))}>
      <Stack>
        <Text fz="sm">Scan this with your authenticator app, or enter the key there.</Text>
        <QrCode text={url} />
        <Group gap="xs" wrap="nowrap">
          <code className="mono break" data-secret aria-label="Key">{secret.replaceAll(/(.{4})(?=.)/g, "$1 ")}</code>
          <Copy text={secret} label="key" />
        </Group>
        {error !== null && !isWrong && <Failure error={error} />}
        <TextInput
          label="Code"
          description="The six digits that the app shows now."
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          data-autofocus
          {...form.getInputProps("code")}
          error={form.errors.code ?? (isWrong && "The code is not right. Check the clock of your phone.")}
        />
        <Group justify="flex-end" gap="xs" className="buttons">
          {onCancel && <Button variant="default" onClick={onCancel}>Cancel</Button>}
          <Button type="submit" loading={isPending}>Enable</Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Dark on light in either theme: not every app reads the other way round. */
function QrCode({ text }: { text: string }) {
  const rows = useMemo(() => encodeQR(text, "raw", { border: 4 }), [text]);
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg viewBox={`0 0 ${rows.length} ${rows.length}`} width={200} height={200} role="img" aria-label="QR code of the key" shapeRendering="crispEdges" style={{ alignSelf: "center", borderRadius: 4 }}>
      <rect width="100%" height="100%" fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

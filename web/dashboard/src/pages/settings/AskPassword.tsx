// Asks for one's own password before what protects the account is changed.

import { Button, Group, PasswordInput, Stack, Text, type MantineColor } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { asApiError } from "../../api";
import { useUser } from "../../app/session";
import { Failure } from "../../parts/Answer";
import { required, showFirst } from "../../parts/refusal";

interface Props {
  /** On the button that does it. */
  action: string;
  color?: MantineColor;
  error: unknown;
  isPending: boolean;
  onCancel?: () => void;
  onSubmit: (password: string) => void;
  /** What follows from it. */
  children: ReactNode;
}

export function AskPassword({ action, color, error, isPending, onCancel, onSubmit, children }: Props) {
  const { email } = useUser();
  const form = useForm({ initialValues: { password: "" }, validate: { password: required("Enter your password.") } });
  const isWrong = asApiError(error)?.code === "wrong_password";
  return (
    <form noValidate onSubmit={form.onSubmit(({ password }) => onSubmit(password), (errors) => showFirst(form, errors))}>
      <Stack>
        <Text component="div" fz="sm">{children}</Text>
        {error !== null && !isWrong && <Failure error={error} />}
        {/* For password managers. */}
        <input type="text" hidden name="username" autoComplete="username" value={email} readOnly />
        <PasswordInput label="Password" autoComplete="current-password" required data-autofocus {...form.getInputProps("password")} error={form.errors.password ?? (isWrong && "The password is wrong.")} />
        <Group justify="flex-end" gap="xs" className="buttons">
          {onCancel && <Button variant="default" onClick={onCancel}>Cancel</Button>}
          <Button type="submit" loading={isPending} {...(color !== undefined && { color })}>{action}</Button>
        </Group>
      </Stack>
    </form>
  );
}

// The page of a rule: what it is made of, and beside it whom it would reach.

import { Alert, Box, Button, Grid, Group, Stack, Switch, Text } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { refresh, tell } from "../../api";
import { Page } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { reach, type Condition } from "./condition";
import type { FieldErrors } from "./draft";
import { LeaveGuard } from "./LeaveGuard";

interface Props {
  title: string;
  isNew: boolean;
  isDirty: boolean;
  isSaving: boolean;
  errors: FieldErrors;
  /** As they are edited. */
  conditions: Condition[];
  onSave: () => void;
  /** Keeps what is edited as a draft beside the rule. */
  onDraft?: () => void;
  /** Removes the rule, if it is there. */
  remove?: ReactNode;
  /** Beside the fields. */
  aside: ReactNode;
  /** Below the fields. */
  below?: ReactNode;
  children: ReactNode;
}

export function Editor({ title, isNew, isDirty, isSaving, errors, conditions, onSave, onDraft, remove, aside, below, children }: Props) {
  return (
    <Page title={title} actions={<PageLink to="/rules" fz="sm">All rules</PageLink>}>
      <LeaveGuard isDirty={isDirty} />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <Box
            component="form"
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              onSave();
            }}
          >
            <Stack gap="md">
              {children}
              <Refused errors={errors} />
              <Group gap="xs">
                <Button type="submit" loading={isSaving} disabled={!isNew && !isDirty}>{isNew ? "Create" : "Save"}</Button>
                {onDraft && isDirty && <Button variant="default" disabled={isSaving} onClick={onDraft}>Save as draft</Button>}
                {!isNew && isDirty && <Text c="dimmed" fz="sm">{reach(conditions)}</Text>}
                <Box ml="auto">{remove}</Box>
              </Group>
            </Stack>
          </Box>
          {below && <Stack gap="md" mt="md">{below}</Stack>}
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}><Stack gap="md">{aside}</Stack></Grid.Col>
      </Grid>
    </Page>
  );
}

export function Enabled({ draft: { values, put } }: { draft: { values: { enabled: boolean }; put: (part: { enabled: boolean }) => void } }) {
  return <Switch label="Enabled" checked={values.enabled} onChange={(event) => put({ enabled: event.currentTarget.checked })} />;
}

function Refused({ errors }: { errors: FieldErrors }) {
  if (Object.keys(errors).length === 0) return null;
  return <Alert color="red" icon={<IconAlertCircle />} role="alert" title="Not saved">{errors[""] ?? "Check the marked fields."}</Alert>;
}

/** What comes after a rule of `collection` has been changed: back to the list. */
export function useDone(collection: string): (message: string) => Promise<void> {
  const navigate = useNavigate();
  return async (message) => {
    tell(message);
    // First away from the page of a rule that may be gone.
    await navigate({ to: "/rules", ignoreBlocker: true });
    await refresh(collection, "/api/dashboard/rule-activity");
  };
}

import { Center, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { FormEventHandler, ReactNode } from "react";

/** A form outside the frame, for those who are not signed in; without `onSubmit`, what there is instead of one. */
export function Door({ title, onSubmit, children }: { title: string; onSubmit?: FormEventHandler<HTMLFormElement>; children: ReactNode }) {
  useDocumentTitle(`${title} · dregs`);
  const shown = (
    <Stack>
      <Group gap="xs">
        <img src="/icon.svg" alt="" width={26} height={26} />
        <Text fw={700} fz="xl">dregs</Text>
      </Group>
      <Title order={1} className="break">{title}</Title>
      {children}
    </Stack>
  );
  return (
    <Center component="main" mih="100vh" p="md" bg="var(--soft)">
      <Paper withBorder p="xl" w="100%" maw={400}>
        {onSubmit ? <form noValidate onSubmit={onSubmit}>{shown}</form> : shown}
      </Paper>
    </Center>
  );
}

// What the application sends for most of its users, which says nothing of any of them, and how it is sent better.

import { Alert, Code, Stack, Text } from "@mantine/core";
import { IconBulb } from "@tabler/icons-react";
import { $api } from "../api";
import { Time } from "./Time";
import { Words } from "./Words";
import { counted } from "./counts";

/** Nothing where there is nothing to say. */
export function Integration() {
  const system = $api.useQuery("get", "/api/system");
  const found = system.data?.integration ?? [];
  if (found.length === 0) return null;
  return (
    <Alert variant="default" bg="var(--mantine-color-body)" style={{ borderColor: "var(--line)" }} icon={<IconBulb color="var(--band-2-mark)" />} title="Your integration sends the same for most of your users">
      <Stack gap="sm">
        {found.map(({ kind, value, advice, holders, identities, learnedAt }) => (
          <div key={`${kind} ${value}`}>
            <Text fz="sm"><Code>{value}</Code> for {holders} of the {counted(identities, "most recently active identity", "most recently active identities")}, detected <Time at={learnedAt} /></Text>
            <Text fz="sm"><Words text={advice} /></Text>
          </div>
        ))}
      </Stack>
    </Alert>
  );
}

// The server is away: says so, and since when what is shown is old.

import { Alert, Button, Group, Text } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { exactTime } from "../parts/Time";
import { isThere, useLostSince } from "./reach";

export function Lost() {
  const since = useLostSince();
  if (since === undefined) return null;
  return (
    <Alert color="red" icon={<IconPlugConnectedX />} title="The server cannot be reached" role="alert" mb="md">
      <Group justify="space-between" gap="xs">
        <Text fz="sm">What you see is as of {exactTime(since)}, and nothing that you change is kept. It is tried again by itself.</Text>
        <Button size="xs" variant="default" onClick={() => void isThere()}>Try now</Button>
      </Group>
    </Alert>
  );
}

import { Group, Stack, Text } from "@mantine/core";
import type { Schemas } from "../api";
import { visible } from "../app/visible";
import { Chip } from "./Chip";
import { IdentityLink } from "./PageLink";

type Named = Pick<Schemas["IdentityBody"], "id" | "displayName" | "displayEmail" | "displayUsername" | "disregarded">;

/** Who an identity is, in two lines, however long what people call themselves is. */
export function Who({ identity: { id, displayName, displayEmail, displayUsername, disregarded } }: { identity: Named }) {
  const details = [displayEmail ?? displayUsername, displayName ? visible(id) : null].filter(Boolean);
  return (
    <Stack gap={0} w={200}>
      <Group gap="xs" wrap="nowrap">
        <span className="clip"><IdentityLink id={id} name={displayName} isBare /></span>
        {disregarded && <Chip tone={2}>Disregarded</Chip>}
      </Group>
      {details.length > 0 && <Text fz="xs" c="dimmed" className="clip" title={details.join(" · ")}>{details.join(" · ")}</Text>}
    </Stack>
  );
}

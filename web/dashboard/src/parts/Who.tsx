import { Group, Stack, Text, Tooltip } from "@mantine/core";
import type { Schemas } from "../api";
import { visibleId } from "../app/visible";
import { Chip } from "./Chip";
import { IdentityLink } from "./PageLink";

type Named = Pick<Schemas["IdentityBody"], "id" | "displayName" | "displayEmail" | "displayUsername" | "disregarded">;

/** Who an identity is, each in a line of its own, however long what people call themselves is. */
export function Who({ identity: { id, displayName, displayEmail, displayUsername, disregarded } }: { identity: Named }) {
  const details = [displayEmail ?? displayUsername, displayName ? visibleId(id) : null].filter((detail) => detail != null && detail !== "");
  return (
    <Stack gap={0} className="who">
      <Group gap="xs" wrap="nowrap">
        <span className="clip"><IdentityLink id={id} name={displayName} isBare /></span>
        {disregarded && <Chip tone={2}>Disregarded</Chip>}
      </Group>
      {details.length > 0 && (
        <div className="details">
          {details.map((detail) => (
            <Tooltip key={detail} label={detail} multiline maw={360} style={{ overflowWrap: "anywhere" }}>
              <Text fz="xs" c="dimmed" className="clip">{detail}</Text>
            </Tooltip>
          ))}
        </div>
      )}
    </Stack>
  );
}

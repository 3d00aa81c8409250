// What a change of a list leads to, said before it is made: whom it concerns, what is sent, and which rules use the list.

import { Alert, Stack, Text } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { Concerned } from "../settings/Concerned";

type Previewed = Schemas["PreviewedListBody"];

/** Asked for once, when a list, or these of its values, are about to be changed. */
export function useConsequences(id: number, values?: string[], isAsked = true) {
  return $api.useQuery(
    "post", "/api/lists/{id}/actions/preview", { params: { path: { id } }, body: values ? { values } : {} },
    { enabled: isAsked, gcTime: 0, staleTime: Infinity, retry: false },
  );
}

interface Props {
  of: ReturnType<typeof useConsequences>;
  /** What becomes of the rules that use the list, and of those that add to it; nothing where nothing does. */
  using?: string;
  /** Whether values are added, and not taken off. */
  isAdding?: boolean;
  adding?: string;
  /** What is to be known where no rule uses it. */
  unused?: string;
}

export function Consequences({ of, using, isAdding, adding, unused }: Props) {
  return (
    <Stack gap="xs">
      <Concerned of={of} />
      <Answer of={of} lines={1}>
        {({ askedBy, addedToBy, listed }: Previewed) => (
          <>
            {using && isAdding && listed > 0 && <Text fz="sm"><strong>It is on the list already:</strong> adding it changes its comment and end alone.</Text>}
            {using && askedBy.length > 0 && <Text fz="sm"><strong>Used by {askedBy.join(", ")}.</strong> {using}</Text>}
            {adding && addedToBy.length > 0 && <Text fz="sm"><strong>Added to by {addedToBy.join(", ")}.</strong> {adding}</Text>}
            {using && adding && askedBy.length + addedToBy.length === 0 && <Text fz="sm" c="dimmed">No enabled rule uses it or adds to it.</Text>}
            {unused && askedBy.length === 0 && <Alert variant="light" color="yellow" p="xs" title="No enabled rule uses this list"><Text fz="sm">{unused}</Text></Alert>}
          </>
        )}
      </Answer>
    </Stack>
  );
}

// What a change of a list leads to, said before it is made: whom it concerns, what is sent, and which rules go by the list.

import { Stack, Text } from "@mantine/core";
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
  /** What becomes of the rules that ask for the list, and of those that add to it; nothing where nothing does. */
  asking?: string;
  adding?: string;
}

export function Consequences({ of, asking, adding }: Props) {
  return (
    <Stack gap="xs">
      <Concerned of={of} />
      <Answer of={of} lines={1}>
        {({ askedBy, addedToBy }: Previewed) => (
          <>
            {asking && askedBy.length > 0 && <Text fz="sm"><strong>Rules that ask for it: {askedBy.join(", ")}.</strong> {asking}</Text>}
            {adding && addedToBy.length > 0 && <Text fz="sm"><strong>Rules that add to it: {addedToBy.join(", ")}.</strong> {adding}</Text>}
            {asking && adding && askedBy.length + addedToBy.length === 0 && <Text fz="sm" c="dimmed">No rule that is on asks for it or adds to it.</Text>}
          </>
        )}
      </Answer>
    </Stack>
  );
}

// A meaning that is chosen in place.

import { NativeSelect, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { tell } from "../../api";
import { useMay } from "../../app/session";
import { word } from "../../parts/score";
import { setMeaning, useTargets, type Kind } from "./mapping";

const NOTHING = "";

export function Meaning({ kind, name, target }: { kind: Kind; name: string; target: string | null | undefined }) {
  const { manage } = useMay();
  const targets = useTargets(kind);
  const set = useMutation({
    mutationFn: (next: string | null) => setMeaning(kind, name, next),
    onSuccess: (_, next) => tell(`${name} is now ${next ? `mapped to ${word(next).toLowerCase()}` : "not mapped"}.`),
  });
  if (!manage) return target ? word(target) : <Text c="dimmed" fz="sm" component="span">not mapped</Text>;
  return (
    <NativeSelect
      size="xs"
      w={210}
      aria-label={`Canonical type of ${name}`}
      disabled={set.isPending}
      value={target ?? NOTHING}
      data={[{ value: NOTHING, label: "Not mapped" }, ...targets.map((value) => ({ value, label: word(value) }))]}
      onChange={(event) => set.mutate(event.currentTarget.value || null)}
    />
  );
}

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
    onSuccess: (_, next) => tell(`${name} means ${next ? word(next).toLowerCase() : "nothing"} now.`),
  });
  if (!manage) return target ? word(target) : <Text c="dimmed" fz="sm" component="span">nothing yet</Text>;
  return (
    <NativeSelect
      size="xs"
      w={210}
      aria-label={`What ${name} means`}
      disabled={set.isPending}
      value={target ?? NOTHING}
      data={[{ value: NOTHING, label: "means nothing" }, ...targets.map((value) => ({ value, label: word(value) }))]}
      onChange={(event) => set.mutate(event.currentTarget.value || null)}
    />
  );
}

// The canonical type of a name, and the way to another: chosen in a dialog that says first whom it concerns.

import { Button, Group, Modal, NativeSelect, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "../../app/session";
import { Failure } from "../../parts/Answer";
import { word } from "../../parts/score";
import { changeMapping, useTargets, type Kind, type Mapped } from "./mapping";
import { Concerned, useConcerned } from "./Concerned";
import { tellChanged } from "./undo";

const NOTHING = "";

interface Props {
  kind: Kind;
  name: string;
  target: string | null | undefined;
  /** Where there is none. */
  none?: string;
}

export function Meaning({ kind, name, target, none = "not mapped" }: Props) {
  const { manage } = useMay();
  const [isOpen, { open, close }] = useDisclosure(false);
  const now = target ? word(target) : <Text c="dimmed" fz="sm" component="span">{none}</Text>;
  if (!manage) return now;
  return (
    <Group gap="xs" wrap="nowrap">
      {now}
      <Button size="compact-xs" variant="default" onClick={open} aria-label={`Change the mapping of ${name}`}>Change…</Button>
      <Modal opened={isOpen} onClose={close} title={<>Mapping of <span className="mono break">{name}</span></>}>
        <Change kind={kind} name={name} target={target ?? null} close={close} />
      </Modal>
    </Group>
  );
}

function Change({ kind, name, target, close }: { kind: Kind; name: string; target: string | null; close: () => void }) {
  const targets = useTargets(kind);
  const [next, setNext] = useState(target ?? NOTHING);
  const change = useMutation({
    mutationFn: () => changeMapping(kind, name, next || null),
    onError: () => {},
    onSuccess: (undo) => {
      close();
      tellChanged(mappedWords({ kind, name, target: next || null }), undo);
    },
  });
  const concerned = useConcerned(kind, name);
  const isSame = next === (target ?? NOTHING);
  return (
    <form onSubmit={(event) => { event.preventDefault(); change.mutate(); }}>
      <Stack>
        <NativeSelect
          label="Canonical type"
          data-autofocus
          value={next}
          data={[{ value: NOTHING, label: "Not mapped" }, ...targets.map((value) => ({ value, label: word(value) }))]}
          onChange={(event) => setNext(event.currentTarget.value)}
        />
        {!isSame && <Concerned of={concerned} />}
        {change.error && <Failure error={change.error} />}
        <Group justify="flex-end" gap="xs" className="buttons">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" disabled={isSame || concerned.isPending} loading={change.isPending}>Change the mapping</Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What a name is mapped to, as a sentence. */
export function mappedWords({ name, target }: Mapped): string {
  return target ? `${name} is now mapped to ${word(target).toLowerCase()}.` : `${name} is no longer mapped.`;
}

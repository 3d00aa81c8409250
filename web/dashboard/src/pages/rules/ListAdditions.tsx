// What a rule puts on lists when it matches: which values of the identity, on which list, for how long.

import { ActionIcon, Button, Group, NativeSelect, Select, Stack, Text } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import type { Schemas } from "../../api";
import { PageLink } from "../../parts/PageLink";
import { Panel } from "../../parts/Page";
import { span } from "../../parts/Time";
import { kindOf } from "../lists/listType";
import type { FieldErrors } from "./draft";
import classes from "./Rules.module.css";
import { useTeamLists } from "./rules";
import { SecondsInput } from "./SecondsInput";

export type Addition = Schemas["AdditionBody"];

/** Lists to which one rule can add. */
const ADDITIONS_MAX = 10;

const WHAT = [
  { value: "DEVICE", label: "Devices", words: "its devices go" },
  { value: "IP", label: "IP addresses", words: "its IP addresses go" },
  { value: "EMAIL", label: "E-mail address", words: "its e-mail address goes" },
  { value: "EMAIL_DOMAIN", label: "E-mail domain", words: "its e-mail domain goes" },
  { value: "PHONE", label: "Phone number", words: "its phone number goes" },
  { value: "IDENTITY", label: "Identity id", words: "its id goes" },
];

interface Props {
  additions: Addition[];
  /** When they are made: "the badge is given". */
  when: string;
  errors: FieldErrors;
  onChange: (additions: Addition[]) => void;
}

export function ListAdditions({ additions, when, errors, onChange }: Props) {
  const isFull = additions.length >= ADDITIONS_MAX;
  return (
    <Panel title="Adds to lists" note="Never what most of your users share, what is trusted, or the domain of a mail provider.">
      <Stack gap="sm" className={classes.conditions}>
        {additions.map((addition, n) => (
          <AdditionFields
            key={n}
            n={n}
            addition={addition}
            errors={errors}
            onChange={(part) => onChange(additions.with(n, { ...addition, ...part }))}
            onRemove={() => onChange(additions.filter((_, at) => at !== n))}
          />
        ))}
        {errors.addsToLists && <Text c="red" fz="sm" role="alert">{errors.addsToLists}</Text>}
        <div>
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} disabled={isFull} onClick={() => onChange([...additions, { what: "DEVICE", list: "" }])}>
            Add to a list
          </Button>
        </div>
        {additions.length > 0 && <Text c="dimmed" fz="sm">Reads: when {when}, <AdditionsInWords additions={additions} />.</Text>}
      </Stack>
    </Panel>
  );
}

interface FieldsProps {
  n: number;
  addition: Addition;
  errors: FieldErrors;
  onChange: (part: Partial<Addition>) => void;
  onRemove: () => void;
}

function AdditionFields({ n, addition: { what, list, forSeconds }, errors, onChange, onRemove }: FieldsProps) {
  const lists = useTeamLists();
  const fitting = lists.filter(({ type, trusted }) => type === what && !trusted).map(({ slug, name }) => ({ value: slug, label: name }));
  // Of a list that is gone, or trusted since.
  const isGone = list !== "" && fitting.every(({ value }) => value !== list);
  const turn = (what: string) => onChange({ what, ...(lists.find(({ slug }) => slug === list)?.type !== what && { list: "" }) });
  const error = (part: string) => errors[`addsToLists[${n}].${part}`];
  return (
    <Group role="group" aria-label={`Addition ${n + 1}`} gap="xs" align="flex-start">
      <NativeSelect
        aria-label="What"
        data={WHAT.map(({ value, label }) => ({ value, label }))}
        value={what}
        onChange={(event) => turn(event.currentTarget.value)}
        error={error("what")}
      />
      <Select
        aria-label="List"
        placeholder="Choose a list"
        style={{ flex: "1 1 11rem" }}
        searchable
        nothingFoundMessage={`No list of ${kindOf(what).words}`}
        data={isGone ? [...fitting, { value: list, label: `${list} (nothing is added)` }] : fitting}
        value={list || null}
        onChange={(next) => onChange({ list: next ?? "" })}
        error={error("list")}
      />
      <SecondsInput
        label="For how long"
        isLabelSeen={false}
        placeholder="for good"
        value={forSeconds ?? 0}
        onChange={(seconds) => onChange({ forSeconds: seconds === 0 ? null : seconds })}
        error={error("forSeconds")}
      />
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Remove addition ${n + 1}`} onClick={onRemove}><IconTrash size={16} /></ActionIcon>
      {fitting.length === 0 && <Text fz="sm" c="dimmed" w="100%">No list of {kindOf(what).words} to add to. <PageLink to="/settings/lists" fz="sm">Create one</PageLink></Text>}
    </Group>
  );
}

/** "its devices go on Banned devices for 30 d and its id goes on Banned users". */
export function AdditionsInWords({ additions }: { additions: Addition[] }) {
  const lists = useTeamLists();
  const words = additions.map(({ what, list, forSeconds }) => {
    const known = WHAT.find(({ value }) => value === what)?.words ?? `${what} goes`;
    const name = lists.find(({ slug }) => slug === list)?.name ?? (list || "a list");
    return `${known} on ${name}${forSeconds ? ` for ${span(forSeconds)}` : ""}`;
  });
  return <>{words.join(" and ")}</>;
}

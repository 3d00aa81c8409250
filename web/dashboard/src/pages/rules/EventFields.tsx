// What conditions about events are about: which events, which facts of theirs, what was counted until then.

import { Autocomplete, NumberInput, Select, TagsInput, TextInput } from "@mantine/core";
import { createContext, useContext } from "react";
import { $api, type Schemas } from "../../api";
import type { ParametersProps } from "./ConditionRows";
import { numberOf, subjectOf } from "./condition";
import classes from "./Rules.module.css";
import { useCounters, useFacts, useTeamLists } from "./rules";

/** The events that the conditions of a rule name: facts of theirs are offered first. */
export const AskedEvents = createContext<string[]>([]);

/** Values of one condition. */
const VALUES_MAX = 100;

export function EventChoice({ condition, isWrong, onChange }: ParametersProps) {
  const types = $api.useQuery("get", "/api/mappings/canonical-types");
  const facts = useFacts();
  const seen = (facts.find(({ name }) => name === "event.type")?.values ?? []).map(String);
  const known = (types.data?.eventTypes ?? []).map(String);
  return (
    <div className={classes.parameters}>
      <TagsInput
        aria-label="Events"
        placeholder="PURCHASE, user.signup"
        error={isWrong("events")}
        maxTags={VALUES_MAX}
        data={[...new Set([...seen, ...known])]}
        value={condition.events ?? []}
        onChange={(events) => onChange({ events })}
      />
    </div>
  );
}

export function FactFields({ condition, isWrong, onChange }: ParametersProps) {
  const facts = useFacts();
  const asked = useContext(AskedEvents).map((event) => event.toLowerCase());
  const isOfAsked = ({ eventTypes }: Schemas["FactBody"]) => eventTypes.some((type) => asked.includes(type.toLowerCase()));
  const offered = [...facts.filter(isOfAsked), ...facts.filter((fact) => !isOfAsked(fact))];
  const fact = facts.find(({ name }) => name === condition.fact);
  return (
    <div className={classes.fact}>
      <Autocomplete
        aria-label="Fact"
        placeholder="event.data.amount"
        error={isWrong("fact")}
        data={offered.map(({ name }) => name)}
        renderOption={({ option }) => <Described fact={facts.find(({ name }) => name === option.value)} />}
        comboboxProps={{ width: 340, position: "bottom-start" }}
        value={condition.fact ?? ""}
        onChange={(fact) => onChange({ fact })}
      />
      <Compared condition={condition} isWrong={isWrong} onChange={onChange} seen={(fact?.values ?? []).map(String)} types={fact?.listTypes} />
    </div>
  );
}

/** A fact in the list, with values that it has had. */
function Described({ fact }: { fact: Schemas["FactBody"] | undefined }) {
  if (!fact) return null;
  const seen = fact.values.slice(0, 3).map(String).join(", ");
  return (
    <div>
      <div>{fact.name}</div>
      <div className="dimmed">{seen === "" ? fact.description : `${fact.description}: ${seen}`}</div>
    </div>
  );
}

interface ComparedProps extends ParametersProps {
  /** Values that the fact has had. */
  seen: string[];
  /** The types of lists on which its values can be; nothing where that is not known. */
  types: string[] | undefined;
}

function Compared({ condition, isWrong, onChange, seen, types }: ComparedProps) {
  const { value, values, pattern } = condition;
  switch (subjectOf(condition.type)) {
    case "number":
      return <Amount value={value} isWrong={isWrong("value")} onChange={onChange} />;
    case "values":
      return <TagsInput aria-label="Values" error={isWrong("values")} maxTags={VALUES_MAX} data={seen} value={(values ?? []).map(String)} onChange={(values) => onChange({ values })} />;
    case "pattern":
      return (
        <TextInput
          aria-label="Regular expression"
          placeholder="^test-"
          error={isWrong("pattern")}
          value={pattern ?? ""}
          onChange={(event) => onChange({ pattern: event.currentTarget.value })}
        />
      );
    case "list":
      return <ListChoice slug={condition.list ?? ""} isWrong={isWrong("list")} types={types} onChange={onChange} />;
    default:
      return <Autocomplete aria-label="Value" error={isWrong("value")} data={seen} value={value == null ? "" : String(value)} onChange={(value) => onChange({ value })} />;
  }
}

function ListChoice({ slug, isWrong, types, onChange }: { slug: string; isWrong: boolean; types: string[] | undefined; onChange: ParametersProps["onChange"] }) {
  // One that is chosen already stays to be seen.
  const lists = useTeamLists().filter((list) => !types || types.includes(list.type) || list.slug === slug);
  return (
    <Select
      aria-label="List"
      placeholder="Choose a list"
      error={isWrong}
      searchable
      nothingFoundMessage="No list of this kind"
      data={lists.map(({ slug, name }) => ({ value: slug, label: name }))}
      value={slug || null}
      onChange={(next) => onChange({ list: next ?? "" })}
    />
  );
}

function Amount({ value, isWrong, onChange }: { value: unknown; isWrong: boolean; onChange: ParametersProps["onChange"] }) {
  return (
    <NumberInput
      aria-label="Number"
      error={isWrong}
      value={numberOf(value) ?? ""}
      onChange={(next) => onChange({ value: next === "" ? undefined : Number(next) })}
    />
  );
}

export function CounterChoice({ condition, isWrong, onChange }: ParametersProps) {
  const counters = useCounters();
  return (
    <div className={classes.fact}>
      <Select
        aria-label="Counter"
        placeholder="Choose a counter"
        error={isWrong("counter")}
        searchable
        nothingFoundMessage="No matching counter"
        data={counters.map(({ slug, name }) => ({ value: slug, label: name }))}
        value={condition.counter || null}
        onChange={(next) => onChange({ counter: next ?? "" })}
      />
      <Amount value={condition.value} isWrong={isWrong("value")} onChange={onChange} />
    </div>
  );
}

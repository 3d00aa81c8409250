// What is being edited of a rule, and what the API says is wrong with it.

import { randomId } from "@mantine/hooks";
import { useState, type ReactNode } from "react";
import { asApiError, errorText } from "../../api";
import { sentence } from "../../fields";
import { Words } from "../../parts/Words";
import type { Condition } from "./condition";

/** A condition of a rule that is being edited; `key` is its own for as long as it is. */
export interface Row {
  key: string;
  condition: Condition;
}

export function row(condition: Condition): Row {
  return { key: randomId(), condition };
}

/** Messages by field; that of "" is about the whole. */
export type FieldErrors = Record<string, ReactNode>;

export interface Draft<Values> {
  values: Values;
  errors: FieldErrors;
  isDirty: boolean;
  put: (part: Partial<Values>) => void;
  /** Takes down what is wrong with it by itself. */
  complain: (errors: FieldErrors) => void;
  /** Takes down why the API has refused it. */
  refuse: (error: unknown) => void;
  /** The same beside what is known to be wrong, which stays in its own words. */
  refuseBeside: (known: FieldErrors, error: unknown) => void;
}

/** Begins with what `first` makes. */
export function useDraft<Values extends object>(first: () => Values): Draft<Values> {
  const [kept] = useState(first);
  const [values, setValues] = useState(kept);
  const [errors, setErrors] = useState<FieldErrors>({});
  const put = (part: Partial<Values>) => {
    setValues((values) => ({ ...values, ...part }));
    // "conditions[2]" is about the field "conditions".
    setErrors((errors) => Object.fromEntries(Object.entries(errors).filter(([field]) => field !== "" && !(base(field) in part))));
  };
  const refuseBeside = (known: FieldErrors, error: unknown) => setErrors({ ...byField(error, (field) => base(field) in kept), ...known });
  const refuse = (error: unknown) => refuseBeside({}, error);
  return { values, errors, isDirty: JSON.stringify(values) !== JSON.stringify(kept), put, complain: setErrors, refuse, refuseBeside };
}

function base(field: string): string {
  return field.replace(/\[.*$/, "");
}

function byField(error: unknown, isShown: (field: string) => boolean): FieldErrors {
  const refusal = asApiError(error);
  if (refusal?.code === "rule_exists") return { name: <Words text={refusal.message} /> };
  const details = refusal?.details ?? [];
  if (details.length === 0 || !details.every(({ field }) => isShown(field))) return { "": <Words text={errorText(error)} /> };
  // The first that is said of a field is what to mend first.
  return Object.fromEntries(details.map(({ field, message }): [string, ReactNode] => [field, <Words text={told(message)} />]).reverse());
}

/** What is chosen here, and not written, is asked for so. */
function told(message: string): string {
  const missing = /^must be the slug of an? (\w+)$/.exec(message)?.[1];
  return missing === undefined ? sentence(message) : `Enter a ${missing}.`;
}

// Forms say all at once what is wrong with them, beside each field: what they check themselves, and what the API refuses.

import type { UseFormReturnType } from "@mantine/form";
import { createElement, useEffect, type ReactNode } from "react";
import { asApiError } from "../api";
import { sentence } from "../fields";
import { Words } from "./Words";

/** Refusals that name no field, though they are about one. */
const FIELD_OF_CODE: Record<string, string> = {
  name_taken: "name", slug_taken: "slug", view_exists: "name", email_taken: "email", entry_exists: "value", wrong_password: "currentPassword",
};

/** A check of a form: something has to be there. */
export function required(message: string) {
  return (value: string | unknown[]) => ((typeof value === "string" ? value.trim() : value).length === 0 ? message : null);
}

/** As the server has it. */
export const PASSWORD_MIN_CHARS = 10;
const PASSWORD_MAX_BYTES = 1_024;
/** What is said of a new password beside its field. */
export const PASSWORD_RULE = `At least ${PASSWORD_MIN_CHARS} characters.`;

/** A check of a form: a new password, of which is said what it lacks and nothing else. */
export function newPassword(password: string): string | null {
  if (password === "") return "Enter a password.";
  if ([...password].length < PASSWORD_MIN_CHARS) return PASSWORD_RULE;
  return new TextEncoder().encode(password).length > PASSWORD_MAX_BYTES ? "That is too long." : null;
}

/** The path in a form of a field that the API names: the same name, as far as the form has it. */
const samePath = (field: string): string => field.replace(/[.[].*$/, "");

/** Puts what the API refuses beside the fields that it names. Answers what is left of it, to be said elsewhere. */
export function useRefusal<Values extends object>(form: UseFormReturnType<Values>, error: unknown, pathOf = samePath): unknown {
  const { paths, rest } = split(error, (field) => {
    const path = pathOf(field);
    return samePath(path) in form.getValues() ? path : undefined;
  });
  useEffect(() => {
    if (Object.keys(paths).length === 0) return;
    form.setErrors(paths);
    // When the messages are there.
    setTimeout(() => showFirst(form, paths));
    // A refusal stays as it is.
  }, [error]);
  return rest;
}

function split(error: unknown, pathOf: (field: string) => string | undefined): { paths: Record<string, ReactNode>; rest: unknown } {
  const refusal = asApiError(error);
  if (!refusal) return { paths: {}, rest: error };
  const field = FIELD_OF_CODE[refusal.code];
  const details = field && refusal.details.length === 0 ? [{ field, message: refusal.message }] : refusal.details;
  const known = details.flatMap((detail): [string, ReactNode][] => {
    const path = pathOf(detail.field);
    return path === undefined ? [] : [[path, createElement(Words, { text: told(detail, path) })]];
  });
  const others = details.filter(({ field }) => pathOf(field) === undefined);
  // The first that is said of a field is what to mend first.
  return { paths: Object.fromEntries(known.reverse()), rest: known.length > 0 && others.length === 0 ? null : { ...refusal, details: others } };
}

/** What stands beside the field; of a list, with the place in it, unless the form has a field for one value of it. */
function told({ field, message }: { field: string; message: string }, path: string): string {
  const place = samePath(path) === samePath(field) ? /\[(\d+)\]/.exec(field)?.[1] : undefined;
  // Some name what is wrong themselves.
  if (message.startsWith("`")) return sentence(message);
  return sentence(place === undefined ? message : `number ${Number(place) + 1} ${message}`);
}

const FIELD = "input:not([type=hidden]), select, textarea";

/** Goes to the topmost field with an error, which may be folded away. */
export function showFirst<Values extends object>(form: UseFormReturnType<Values>, errors: object): void {
  const nodes = Object.keys(errors).flatMap((path) => form.getInputNode(path as never) ?? []);
  for (const node of nodes) node.closest("details")?.setAttribute("open", "");
  const [first] = nodes.toSorted((one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top);
  // What is said of it, once it is there: of a group it may stand elsewhere than its first field.
  setTimeout(() => {
    const said = [...document.querySelectorAll<HTMLElement>('form [id$="-error"]')];
    said.toSorted((one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top)[0]?.scrollIntoView({ block: "nearest" });
  });
  if (!first) return;
  // Of a group of many, what is said of it stands below its heading.
  const isTall = first.getBoundingClientRect().height > innerHeight / 2;
  first.scrollIntoView({ block: isTall ? "start" : "center" });
  const field = first.matches(FIELD) ? first : first.querySelector<HTMLElement>(FIELD);
  field?.focus({ preventScroll: true });
}

// Filters of a list, kept in the address of its page.

import { Button, CloseButton, Group, NativeSelect, TextInput, type TextInputProps } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { IconFilter, IconSearch } from "@tabler/icons-react";
import { useEffect, useState, type ReactNode } from "react";
import { usePageSearch } from "../app/search";

/** How long after the last key a list is asked for. */
const TYPING_MS = 250;

/** A filter that is typed; `accepts` says what it may be, else nothing is filtered by it and `hint` is shown. */
export function TextFilter({ name, label, accepts, hint, ...props }: { name: string; label: string; accepts?: RegExp; hint?: string } & TextInputProps) {
  const [search, change] = usePageSearch();
  const kept = search[name] ?? "";
  const [text, setText] = useState(kept);
  const settle = useDebouncedCallback((next: string) => change({ [name]: next.trim() || undefined }), TYPING_MS);
  // The address changes by going back, too.
  useEffect(() => {
    setText(kept);
  }, [kept]);
  const put = (next: string) => {
    setText(next);
    settle(next);
  };
  return (
    <TextInput
      size="sm"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => put(event.currentTarget.value)}
      error={kept && kept === text.trim() && accepts && !accepts.test(kept) ? hint : undefined}
      rightSection={text && <CloseButton size="sm" aria-label={`Clear ${label}`} onClick={() => put("")} />}
      {...props}
    />
  );
}

/** The search of a list: "/" goes there. */
export function SearchFilter({ label }: { label: string }) {
  return <TextFilter name="term" label={label} type="search" leftSection={<IconSearch size={16} />} w={{ base: "100%", sm: 280 }} />;
}

/** Filters, folded on phones until they are asked for; `names` are theirs in the address. */
export function FoldedFilters({ names, children }: { names: string[]; children: ReactNode }) {
  const [search] = usePageSearch();
  const [isOpen, { toggle: unfold }] = useDisclosure(false);
  const used = names.filter((name) => search[name]).length;
  return (
    <>
      <Button hiddenFrom="xs" size="xs" variant="default" aria-expanded={isOpen} leftSection={<IconFilter size={14} />} onClick={unfold}>
        {used > 0 ? `Filters (${used})` : "Filters"}
      </Button>
      <Group gap="xs" className="filters" {...(isOpen ? {} : { visibleFrom: "xs" })}>{children}</Group>
    </>
  );
}

/** A filter that is chosen; `options` are values, their words and what these mean. */
export function ChoiceFilter({ name, label, options }: { name: string; label: string; options: [value: string, word: string, note?: string][] }) {
  const [search, change] = usePageSearch();
  return (
    <NativeSelect
      size="sm"
      maw="100%"
      // As wide as its longest word, and the arrow.
      miw="fit-content"
      aria-label={label}
      value={search[name] ?? ""}
      data={[{ value: "", label }, ...options.map(([value, word, title]) => ({ value, label: word, title }))]}
      onChange={(event) => change({ [name]: event.currentTarget.value || undefined })}
    />
  );
}

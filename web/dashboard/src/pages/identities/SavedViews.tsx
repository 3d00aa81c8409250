// Above the list: what is often looked for, by a name.

import { ActionIcon, Button, Group, Popover, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconBookmarkPlus, IconX } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { parseSearch, usePageSearch, type Search } from "../../app/search";
import { useMay } from "../../app/session";
import { Failure } from "../../parts/Answer";
import { required, useRefusal } from "../../parts/refusal";
import { viewOf } from "./filters";
import { BUILT_IN, bodyOf, isShown, useRemoveView, useSaveView, useViews, type View } from "./views";

export function SavedViews() {
  const [search] = usePageSearch();
  const may = useMay();
  const { data: own } = useViews();
  const shown = viewOf(search);
  const kept = [...BUILT_IN.map(([, view]) => view), ...(own ?? []).map(({ query }) => parseSearch(query))];
  const isKept = kept.some((view) => isShown(view, shown));
  return (
    <Group gap={4} role="group" aria-label="Views">
      {BUILT_IN.map(([name, view]) => <Shown key={name} name={name} view={view} shown={shown} />)}
      {own?.map((view) => <Own key={view.id} view={view} shown={shown} />)}
      {own && !isKept && may.triage && <Save search={shown} />}
    </Group>
  );
}

/** A view that is shown by a click. */
function Shown({ name, view, shown }: { name: string; view: Search; shown: Search }) {
  const navigate = useNavigate();
  const isCurrent = isShown(view, shown);
  return (
    <Button
      size="compact-sm"
      variant={isCurrent ? "filled" : "subtle"}
      color={isCurrent ? undefined : "gray"}
      aria-pressed={isCurrent}
      onClick={() => void navigate({ to: ".", search: view as never })}
    >
      {name}
    </Button>
  );
}

/** One of the team's own, which can be removed while it is shown. */
function Own({ view, shown }: { view: View; shown: Search }) {
  const may = useMay();
  const remove = useRemoveView();
  const search = parseSearch(view.query);
  return (
    <Group gap={0} wrap="nowrap">
      <Shown name={view.name} view={search} shown={shown} />
      {may.triage && isShown(search, shown) && (
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Remove the view ${view.name}`} loading={remove.isPending} onClick={() => remove.mutate({ params: { path: { id: view.id } } })}>
          <IconX size={14} />
        </ActionIcon>
      )}
    </Group>
  );
}

/** Keeps the filters and the order that are shown now. */
function Save({ search }: { search: Search }) {
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const save = useSaveView();
  const isTaken = (name: string) => BUILT_IN.some(([taken]) => taken.toLowerCase() === name.trim().toLowerCase());
  const form = useForm({ initialValues: { name: "" }, validate: { name: (name) => required("Enter a name.")(name) ?? (isTaken(name) ? "There is a view of this name." : null) } });
  const failure = useRefusal(form, save.error);
  const done = () => {
    form.reset();
    close();
  };
  const submit = form.onSubmit(({ name }) => save.mutate({ body: bodyOf(name.trim(), search) }, { onSuccess: done }));
  return (
    <Popover opened={isOpen} onChange={close} position="bottom-start" width={280} trapFocus>
      <Popover.Target>
        <Button size="compact-sm" variant="subtle" leftSection={<IconBookmarkPlus size={15} />} onClick={toggle}>Save this view…</Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Save this view">
        <form noValidate onSubmit={submit}>
          <Stack gap="xs">
            {Boolean(failure) && <Failure error={failure} />}
            <TextInput label="Name" description="Shared with your team." required data-autofocus {...form.getInputProps("name")} />
            <Button type="submit" size="xs" loading={save.isPending}>Save</Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

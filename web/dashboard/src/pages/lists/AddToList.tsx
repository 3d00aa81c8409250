// Puts what an identity or a device shows on a list: its id, its e-mail address or phone number, an address or a fingerprint.

import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDebouncedValue } from "@mantine/hooks";
import { $api, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Answer, Failure } from "../../parts/Answer";
import { PageLink } from "../../parts/PageLink";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { toUtc } from "../../parts/TimeFilter";
import { Consequences, useConsequences } from "./Consequences";
import { changed } from "./RemoveEntry";
import { kindOf, type List } from "./listType";
import { tellUndoable } from "./undoAct";

interface Props {
  /** What is shown that may be on a list of this type; an empty text where nothing is. */
  shown: (type: string) => string;
  /** The type of the list that is offered first, where there is one. */
  first: string;
  isOpen: boolean;
  close: () => void;
}

export function AddToList(props: Props) {
  return (
    <Modal opened={props.isOpen} onClose={props.close} title="Add to a list">
      {props.isOpen && <Choice {...props} />}
    </Modal>
  );
}

function Choice({ shown, first, close }: Props) {
  const { manage } = useMay();
  const lists = $api.useQuery("get", "/api/lists");
  return (
    <Answer of={lists} lines={3}>
      {(all) => {
        const may = all.filter(({ trusted }) => manage || !trusted);
        return may.length > 0 ? <Form lists={may} shown={shown} first={first} close={close} /> : <NoList mayCreate={manage} />;
      }}
    </Answer>
  );
}

function NoList({ mayCreate }: { mayCreate: boolean }) {
  if (!mayCreate) return <Text fz="sm">There is no list that you may add to. Admins create lists in the settings.</Text>;
  return <Text fz="sm">There is no list yet. <PageLink to="/settings/lists" fz="sm" underline="always">Create one</PageLink> first.</Text>;
}

/** What an identity shows of itself that may be on a list of this type. */
export function shownByIdentity({ id, displayEmail }: Schemas["IdentityBody"], type: string): string {
  if (type === "IDENTITY") return id;
  if (type === "EMAIL") return displayEmail ?? "";
  if (type === "EMAIL_DOMAIN") return displayEmail?.split("@").at(-1) ?? "";
  return "";
}

/** "Our offices (networks, trusted)"; the type is not said where the name says it. */
function labelOf({ name, type, trusted }: List): string {
  // "IP addresses" begins with a capital anywhere.
  const words = kindOf(type).words.replace(/^[A-Z](?![A-Z])/, (first) => first.toLowerCase());
  const said = [!name.toLowerCase().includes(words.toLowerCase()) && words, trusted && "trusted"].filter(Boolean);
  return said.length > 0 ? `${name} (${said.join(", ")})` : name;
}

/** Long enough that a value is not asked about while it is typed. */
const TYPED_MS = 400;

function Form({ lists, shown, first: type, close }: { lists: List[] } & Omit<Props, "isOpen">) {
  const typeOf = (id: string) => lists.find((list) => String(list.id) === id)?.type ?? "";
  const first = String((lists.find((list) => list.type === type) ?? lists[0])?.id);
  const form = useForm({ initialValues: { list: first, value: shown(typeOf(first)), comment: "", endsAt: "" }, validate: { value: required("Enter a value.") } });
  const add = $api.useMutation("post", "/api/lists/{id}/entries", {
    onError: () => {},
    onSuccess: async ({ added, auditId }) => {
      close();
      tellUndoable(added ? "It is added to the list." : "It was on the list already.", auditId);
      await changed();
    },
  });
  const failure = useRefusal(form, add.error, (field) => field.replace(/^entries\[0\]\./, ""));
  const submit = form.onSubmit(({ list, value, comment, endsAt }) => {
    add.mutate({ params: { path: { id: Number(list) } }, body: { entries: [{ value, comment: comment.trim() || null, endsAt: toUtc(endsAt) ?? null }] } });
  }, (errors) => showFirst(form, errors));
  const choose = (list: string) => form.setValues({ list, value: shown(typeOf(list)) });
  const isTrusted = lists.find(({ id }) => String(id) === form.values.list)?.trusted;
  const [asked] = useDebouncedValue({ list: form.values.list, value: form.values.value.trim() }, TYPED_MS);
  const isAsked = asked.value !== "";
  const consequences = useConsequences(Number(asked.list), [asked.value], isAsked);
  // Nothing is added before it is said whom that concerns.
  const value = form.values.value.trim();
  const isUnsaid = value !== "" && (asked.value !== value || asked.list !== form.values.list || consequences.isPending);
  return (
    <form noValidate onSubmit={submit}>
      <Stack>
        <NativeSelect
          label="List" value={form.values.list} onChange={(event) => choose(event.currentTarget.value)}
          data={lists.map((list) => ({ value: String(list.id), label: labelOf(list) }))}
        />
        <TextInput label="Value" placeholder={kindOf(typeOf(form.values.list)).example} required maxLength={320} {...form.getInputProps("value")} />
        <TextInput label="Comment" placeholder="Why" maxLength={500} {...form.getInputProps("comment")} />
        <TextInput label="Ends" description="Empty: never" type="datetime-local" {...form.getInputProps("endsAt")} />
        {isAsked && !consequences.error && <Consequences of={consequences} isAdding using="They match it from then on." unused={isTrusted ? undefined : "The entry changes nothing until one does."} />}
        {Boolean(failure) && <Failure error={failure} />}
        <Group justify="flex-end" gap="xs" className="buttons">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" disabled={isUnsaid} loading={add.isPending}>Add</Button>
        </Group>
      </Stack>
    </form>
  );
}

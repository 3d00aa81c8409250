// Puts what an identity shows on a list: its id, its e-mail address or phone number, an address or a device.

import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { $api, tell, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Answer, Failure } from "../../parts/Answer";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { changed } from "./ListEntries";
import { kindOf, type List } from "./listType";

interface Props {
  identity: Schemas["IdentityBody"];
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

function Choice({ identity, close }: Props) {
  const { manage } = useMay();
  const lists = $api.useQuery("get", "/api/lists");
  return (
    <Answer of={lists} lines={3}>
      {(all) => {
        const may = all.filter(({ trusted }) => manage || !trusted);
        return may.length > 0 ? <Form lists={may} identity={identity} close={close} /> : <Text fz="sm">There is no list that you may add to. Admins create lists in the settings.</Text>;
      }}
    </Answer>
  );
}

/** What the identity shows of itself that may be on a list of this type. */
function shown(identity: Schemas["IdentityBody"], type: string): string {
  const { id, displayEmail } = identity;
  if (type === "IDENTITY") return id;
  if (type === "EMAIL") return displayEmail ?? "";
  if (type === "EMAIL_DOMAIN") return displayEmail?.split("@").at(-1) ?? "";
  return "";
}

function Form({ lists, identity, close }: { lists: List[] } & Omit<Props, "isOpen">) {
  const typeOf = (id: string) => lists.find((list) => String(list.id) === id)?.type ?? "";
  const first = String((lists.find(({ type }) => type === "IDENTITY") ?? lists[0])?.id);
  const form = useForm({ initialValues: { list: first, value: shown(identity, typeOf(first)), comment: "" }, validate: { value: required("Enter a value.") } });
  const add = $api.useMutation("post", "/api/lists/{id}/entries", {
    onError: () => {},
    onSuccess: async ({ added }) => {
      close();
      tell(added ? "It is added to the list." : "It was on the list already.");
      await changed();
    },
  });
  const failure = useRefusal(form, add.error, (field) => field.replace(/^entries\[0\]\./, ""));
  const submit = form.onSubmit(({ list, value, comment }) => {
    add.mutate({ params: { path: { id: Number(list) } }, body: { entries: [{ value, comment: comment.trim() || null }] } });
  }, (errors) => showFirst(form, errors));
  const choose = (list: string) => form.setValues({ list, value: shown(identity, typeOf(list)) });
  return (
    <form noValidate onSubmit={submit}>
      <Stack>
        <NativeSelect
          label="List" value={form.values.list} onChange={(event) => choose(event.currentTarget.value)}
          data={lists.map(({ id, name, type, trusted }) => ({ value: String(id), label: `${name} (${kindOf(type).words.toLowerCase()}${trusted ? ", trusted" : ""})` }))}
        />
        <TextInput label="Value" placeholder={kindOf(typeOf(form.values.list)).example} required maxLength={320} {...form.getInputProps("value")} />
        <TextInput label="Comment" placeholder="Why" maxLength={500} {...form.getInputProps("comment")} />
        {Boolean(failure) && <Failure error={failure} />}
        <Group justify="flex-end" gap="xs" className="buttons">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={add.isPending}>Add</Button>
        </Group>
      </Stack>
    </form>
  );
}

// A new pair of keys; the secret one is shown this one time.

import { Button, Group, Modal, Stack, TagsInput, TextInput } from "@mantine/core";
import { useForm, type UseFormReturnType } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { $api, refresh } from "../../api";
import { Failure } from "../../parts/Answer";
import { Secret, Source } from "../../parts/Copy";
import { Facts } from "../../parts/Page";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { ShownOnce } from "./ShownOnce";
import { eventCommand, pageSnippet } from "./snippets";

export function NewCredential() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const form = useForm({ initialValues: { name: "", allowedOrigins: [] as string[] }, validate: { name: required("Enter a name.") } });
  const create = $api.useMutation("post", "/api/credentials", {
    onError: () => {},
    onSuccess: () => {
      close();
      form.reset();
      void refresh("/api/credentials");
    },
  });
  const made = create.data;
  const failure = useRefusal(form, create.error);
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={open}>New credential…</Button>
      <Modal opened={isOpen} onClose={close} title="New credential">
        <form noValidate onSubmit={form.onSubmit((body) => create.mutate({ body }), (errors) => showFirst(form, errors))}>
          <Stack>
            <TextInput label="Name" description="The application that uses it." required maxLength={100} data-autofocus {...form.getInputProps("name")} />
            <Origins {...form.getInputProps("allowedOrigins")} />
            {Boolean(failure) && <Failure error={failure} />}
            <Group justify="flex-end" gap="xs" className="buttons">
              <Button variant="default" onClick={close}>Cancel</Button>
              <Button type="submit" loading={create.isPending}>Create</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
      <ShownOnce isOpen={made !== undefined} title="Credential created" onClose={create.reset}>
        {made?.secretKey && (
          <>
            <Secret value={made.secretKey} label="secret key" use="Your backend calls with it. It may do nearly everything but manage people and keys, so keep it out of pages and repositories." />
            <Facts facts={[["Public key", <span className="mono">{made.publicKey}</span>]]} />
            <Source text={eventCommand(made.secretKey)} label="command for your backend" />
            <Source text={pageSnippet(made.publicKey)} label="snippet for your pages" />
          </>
        )}
      </ShownOnce>
    </>
  );
}

/** Origins, each a tag. */
export function Origins(props: ReturnType<UseFormReturnType<{ allowedOrigins: string[] }>["getInputProps"]>) {
  return (
    <TagsInput
      label="Allowed origins"
      description="Pages of these may send events with the public key: scheme, host and perhaps port, each followed by Enter. A backend needs none."
      placeholder="https://shop.example.com"
      maxTags={50}
      splitChars={[",", " "]}
      {...props}
    />
  );
}

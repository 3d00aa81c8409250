// One's passkeys: which there are, and the way to another one.

import { Alert, Anchor, Button, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { $api, api, refresh, tell, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { hasPasskeys, makePasskey, passkeyFailure } from "../../parts/passkey";
import { Time } from "../../parts/Time";
import { AskPassword } from "./AskPassword";
import { whole } from "./whole";

type Passkey = Schemas["PasskeyBody"];

const PATH = "/api/auth/passkeys";

const COLUMNS: Column<Passkey>[] = [
  { title: "Name", cell: ({ name }) => <span className="break">{name}</span> },
  { title: "Created", cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: "Last used", cell: ({ lastUsedAt }) => <Time at={lastUsedAt} empty="Never" /> },
  { title: "Actions", cell: (passkey) => <Remove passkey={passkey} /> },
];

export function Passkeys() {
  const passkeys = $api.useQuery("get", PATH);
  return (
    <Panel title="Passkeys" note="Sign in with your fingerprint, face, PIN or security key, without your password." actions={hasPasskeys && <NewPasskey />}>
      <Answer of={passkeys}>
        {(all) => (
          <ListTable
            label="Your passkeys"
            page={whole(all)}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            empty={<Empty title="You have no passkeys">{hasPasskeys ? "Create one for each of your devices." : <NotHere />}</Empty>}
          />
        )}
      </Answer>
    </Panel>
  );
}

/** Where passkeys can be made, if not at this address. */
function NotHere() {
  if (location.hostname === "127.0.0.1" || location.hostname === "[::1]") {
    const there = `http://localhost${location.port && `:${location.port}`}${location.pathname}`;
    return <>Browsers make no passkeys at an address of numbers. Open <Anchor href={there} inherit>{there}</Anchor> and sign in there; DREGS_PUBLIC_URL, if it is set, has to begin with the same.</>;
  }
  return <>Browsers make passkeys where the address of this page is a name, over https or at localhost: open it there, and set DREGS_PUBLIC_URL to that address.</>;
}

function Remove({ passkey: { id, name } }: { passkey: Passkey }) {
  const remove = $api.useMutation("delete", "/api/auth/passkeys/{id}", { onSuccess: () => refresh(PATH) });
  return (
    <Confirm action="Remove" question={`Remove ${name}?`} loading={remove.isPending} onConfirm={() => remove.mutate({ params: { path: { id } } })}>
      It no longer signs you in. Remove it from your device as well.
    </Confirm>
  );
}

function NewPasskey() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isPending, setPending] = useState(false);
  const begin = () => {
    setName("");
    setError(null);
    open();
  };
  const create = async (password: string) => {
    setPending(true);
    setError(null);
    try {
      const begun = await api.POST("/api/auth/passkeys/actions/begin", { body: { password } });
      if (!begun.data) throw begun.error;
      const made = await api.POST("/api/auth/passkeys", { body: { name: name.trim() || "Passkey", ...(await makePasskey(begun.data)) } });
      if (!made.data) throw made.error;
      close();
      tell("Passkey created.");
      await refresh(PATH);
    } catch (failure) {
      setError(failure);
    } finally {
      setPending(false);
    }
  };
  const said = passkeyFailure(error);
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={begin}>New passkey…</Button>
      <Modal opened={isOpen} onClose={close} title="New passkey">
        <Stack>
          {said && <Alert color="red" role="alert">{said}</Alert>}
          <TextInput label="Name" description="To tell your passkeys apart, such as “Laptop”." maxLength={100} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <AskPassword action="Create" error={said ? null : error} isPending={isPending} onCancel={close} onSubmit={(password) => void create(password)}>
            <Text inherit>Your browser asks where to keep it.</Text>
          </AskPassword>
        </Stack>
      </Modal>
    </>
  );
}

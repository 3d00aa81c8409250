// The teams of the installation, for those who own it.

import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { $api, refresh, tell, type Schemas } from "../../api";
import { chooseTeam, useUser } from "../../app/session";
import { Answer, Failure } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Secret, Source } from "../../parts/Copy";
import { ListTable, type Column } from "../../parts/ListTable";
import { Facts, Page, Panel } from "../../parts/Page";
import { required, showFirst, useRefusal } from "../../parts/refusal";
import { Time } from "../../parts/Time";
import { ShownOnce } from "./ShownOnce";
import { eventCommand } from "./snippets";
import { whole } from "./whole";

type Summary = Schemas["TeamSummaryBody"];

const CHOSEN = "You are in this team. Switch to another one first.";
const LAST = "It is the only team. Create another one first.";

export function Teams() {
  const { owner } = useUser();
  if (!owner) return <Page title="Teams" mayNot="Only an owner of the installation can create, rename and delete teams." />;
  return <All />;
}

function All() {
  const { teams: mine, teamId } = useUser();
  const teams = $api.useQuery("get", "/api/teams");
  const isMine = (team: Summary) => mine.some(({ id }) => id === team.id);
  const columns: Column<Summary>[] = [
    { title: "Team", cell: (team) => <><span className="break">{team.name}</span> {team.id === teamId && <Chip>You are here</Chip>}</> },
    { title: "Members", cell: ({ members }) => members },
    { title: "Created", cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      title: "Actions",
      cell: (team) => (
        <Group gap="xs">
          {team.id !== teamId && isMine(team) && <Button size="xs" variant="default" onClick={() => void chooseTeam(team.id)} aria-label={`Switch to ${team.name}`}>Switch</Button>}
          <Rename team={team} />
          <Delete team={team} not={teams.data?.length === 1 ? LAST : team.id === teamId ? CHOSEN : undefined} />
        </Group>
      ),
    },
  ];
  return (
    <Page title="Teams" actions={<NewTeam />}>
      <Panel title="Teams of the installation" note="Each team has its own people, keys, channels, rules and data. As an owner of the installation, you see the data of the teams you are a member of.">
        <Answer of={teams}>{(all) => <ListTable label="Teams" page={whole(all)} columns={columns} rowKey={({ id }) => id} empty={null} />}</Answer>
      </Panel>
    </Page>
  );
}

function NewTeam() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const form = useForm({ initialValues: { name: "" }, validate: { name: required("Enter a name.") } });
  const create = $api.useMutation("post", "/api/teams", {
    onError: () => {},
    onSuccess: () => {
      close();
      form.reset();
      void refresh("/api/teams");
    },
  });
  const made = create.data;
  const failure = useRefusal(form, create.error);
  // The team switch appears with the second team, when the keys are saved.
  const done = () => {
    create.reset();
    void refresh("/api/auth/me");
  };
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={open}>New team…</Button>
      <Modal opened={isOpen} onClose={close} title="New team">
        <form noValidate onSubmit={form.onSubmit((body) => create.mutate({ body }), (errors) => showFirst(form, errors))}>
          <Stack>
            <TextInput label="Name" description="Such as Staging, or a customer. You will be its admin." required maxLength={100} data-autofocus {...form.getInputProps("name")} />
            {Boolean(failure) && <Failure error={failure} />}
            <Group justify="flex-end" gap="xs" className="buttons">
              <Button variant="default" onClick={close}>Cancel</Button>
              <Button type="submit" loading={create.isPending}>Create</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
      <ShownOnce isOpen={made !== undefined} title={`Team ${made?.name ?? ""} created`} onClose={done}>
        {made && (
          <>
            <Secret value={made.secretKey} label="secret key" use="The backend of this team calls with it. It may do nearly everything but manage people and keys, so keep it out of pages and repositories." />
            <Facts facts={[["Public key", <span className="mono">{made.publicKey}</span>]]} />
            <Source text={eventCommand(made.secretKey)} label="command for your backend" />
          </>
        )}
      </ShownOnce>
    </>
  );
}

function Rename({ team: { id, name } }: { team: Summary }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const form = useForm({ initialValues: { name }, validate: { name: required("Enter a name.") } });
  const rename = $api.useMutation("patch", "/api/teams/{id}", {
    onError: () => {},
    onSuccess: async () => {
      close();
      tell("Team renamed.");
      await refresh("/api/team", "/api/auth/me");
    },
  });
  const failure = useRefusal(form, rename.error);
  return (
    <>
      <Button size="xs" variant="default" onClick={open} aria-label={`Rename ${name}`}>Rename…</Button>
      <Modal opened={isOpen} onClose={close} title={`Rename ${name}`}>
        <form noValidate onSubmit={form.onSubmit((body) => rename.mutate({ params: { path: { id } }, body }), (errors) => showFirst(form, errors))}>
          <Stack>
            <TextInput label="Name" required maxLength={100} data-autofocus {...form.getInputProps("name")} />
            {Boolean(failure) && <Failure error={failure} />}
            <Group justify="flex-end" gap="xs" className="buttons">
              <Button variant="default" onClick={close}>Cancel</Button>
              <Button type="submit" disabled={!form.isDirty()} loading={rename.isPending}>Rename</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

/** Nothing is deleted before the name is typed. */
function Delete({ team: { id, name, members }, not }: { team: Summary; not: string | undefined }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const form = useForm({ initialValues: { typed: "" } });
  const remove = $api.useMutation("delete", "/api/teams/{id}", {
    onError: () => {},
    onSuccess: async () => {
      close();
      tell(`${name} is deleted.`);
      await refresh("/api/teams", "/api/auth/me");
    },
  });
  const begin = () => {
    form.reset();
    remove.reset();
    open();
  };
  const { typed } = form.getValues();
  const people = members === 1 ? "1 member loses" : `${members} members lose`;
  return (
    <>
      <Button size="xs" variant="subtle" color="red" disabled={not !== undefined} title={not} onClick={begin} aria-label={`Delete ${name}`}>Delete…</Button>
      <Modal opened={isOpen} onClose={close} title={`Delete ${name}?`}>
        <form noValidate onSubmit={form.onSubmit(() => remove.mutate({ params: { path: { id }, query: { name: typed.trim() } } }))}>
          <Stack>
            <Text fz="sm">Everything of this team is deleted permanently: its identities and events, rules, channels and keys. Its {people} access immediately; whoever is in no other team loses their account.</Text>
            <TextInput label={`Type “${name}” to delete it`} autoComplete="off" data-autofocus {...form.getInputProps("typed")} />
            {remove.error && <Failure error={remove.error} />}
            <Group justify="flex-end" gap="xs" className="buttons">
              <Button variant="default" onClick={close}>Cancel</Button>
              <Button type="submit" color="red" disabled={typed.trim() !== name.trim()} loading={remove.isPending}>Delete the team</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

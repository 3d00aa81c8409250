// Where one is signed in, and the way to end it.

import { Text } from "@mantine/core";
import { $api, refresh, tell, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Confirm } from "../../parts/Confirm";
import { ListTable, type Column } from "../../parts/ListTable";
import { Panel } from "../../parts/Page";
import { Time } from "../../parts/Time";
import { whole } from "./whole";

type Session = Schemas["OwnSessionBody"];

const PATH = "/api/auth/sessions";
const countries = new Intl.DisplayNames("en", { type: "region" });

const COLUMNS: Column<Session>[] = [
  { title: "Device", cell: ({ device, current }) => <><span className="break">{device ?? "Unknown"}</span> {current && <Chip>This session</Chip>}</> },
  {
    title: "Address",
    cell: ({ address, country }) => (
      <>
        <span className="mono break">{address ?? "–"}</span>
        {country && <Text c="dimmed" fz="xs">{countries.of(country)}</Text>}
      </>
    ),
  },
  { title: "Signed in", cell: ({ begunAt }) => <Time at={begunAt} /> },
  { title: "Last seen", cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
  { title: "Actions", cell: (session) => (session.current ? "" : <End session={session} />) },
];

export function Sessions() {
  const sessions = $api.useQuery("get", PATH);
  const hasOthers = sessions.data?.some(({ current }) => !current);
  return (
    <Panel title="Sessions" note="Where you are signed in. A session ends 16 hours after its sign-in." actions={hasOthers && <EndOthers />}>
      <Answer of={sessions}>{(all) => <ListTable label="Your sessions" page={whole(all)} columns={COLUMNS} rowKey={({ id }) => id} empty={null} />}</Answer>
    </Panel>
  );
}

function End({ session: { id, device } }: { session: Session }) {
  const end = $api.useMutation("delete", "/api/auth/sessions/{id}", { onSuccess: () => refresh(PATH) });
  return (
    <Confirm action="Sign out" question={`Sign out ${device ?? "this session"}?`} loading={end.isPending} onConfirm={() => end.mutate({ params: { path: { id } } })}>
      That session ends immediately. If it was not yours, change your password as well.
    </Confirm>
  );
}

function EndOthers() {
  const end = $api.useMutation("post", "/api/auth/sessions/actions/end-others", {
    onSuccess: async () => {
      tell("Your other sessions are signed out.");
      await refresh(PATH);
    },
  });
  return (
    <Confirm action="Sign out all others" question="Sign out all other sessions?" loading={end.isPending} onConfirm={() => end.mutate({})}>
      Every session but this one ends immediately. If one was not yours, change your password as well.
    </Confirm>
  );
}

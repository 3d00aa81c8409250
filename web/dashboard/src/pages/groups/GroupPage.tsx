// One group: what is known of it, and its members.

import { ActionIcon, Button, Group as Row, TextInput, Tooltip } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { $api, asApiError, refresh, tell, tellError, type Schemas } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { visibleId } from "../../app/visible";
import { Answer } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { Copy, pretty, Source } from "../../parts/Copy";
import { Facts, Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { IdentitiesOf } from "../../parts/Lists";
import { Time } from "../../parts/Time";
import { tellChanged } from "../settings/undo";

type Group = Schemas["GroupBody"];

export function GroupPage() {
  const { type = "", id = "" } = useParams({ strict: false });
  const group = $api.useQuery("get", "/api/groups/{type}/{id}", { params: { path: { type, id } } });
  return (
    <Page title={group.data?.displayName ?? visibleId(id)} mayNot={useMayNot("manage", "add and remove members")}>
      <Answer of={group} lines={8}>
        {(group) => (
          <>
            <Panel><About group={group} /></Panel>
            <Members type={type} id={id} />
            {Object.keys(group.data ?? {}).length > 0 && <Panel title="Attributes"><Source text={pretty(group.data)} label="attributes" /></Panel>}
          </>
        )}
      </Answer>
    </Page>
  );
}

function About({ group: { type, id, identityCount, createdAt, lastTrackedAt } }: { group: Group }) {
  return (
    <Facts
      facts={[
        ["Type", <Chip>{word(type)}</Chip>],
        ["Id", <><span className="mono">{visibleId(id)}</span> <Copy text={id} label="id" /></>],
        ["Members", identityCount.toLocaleString("en")],
        ["Created", <Time at={createdAt} />],
        ["Last received", <Time at={lastTrackedAt} />],
      ]}
    />
  );
}

function Members({ type, id }: { type: string; id: string }) {
  const { manage } = useMay();
  const remove = $api.useMutation("delete", "/api/groups/{type}/{id}/identities/{identityId}", { onSuccess: changed });
  const add = $api.useMutation("put", "/api/groups/{type}/{id}/identities/{identityId}", { onSuccess: changed });
  const takeOut = async (identityId: string) => {
    const asked = { params: { path: { type, id, identityId } } };
    await remove.mutateAsync(asked);
    tellChanged(`${identityId} removed from the group.`, async () => { await add.mutateAsync(asked); });
  };
  const more = {
    title: "",
    cell: ({ id: identityId }: Schemas["IdentityBody"]) => (
      <Tooltip label="Remove from the group">
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Remove ${identityId} from the group`} onClick={() => void takeOut(identityId).catch(() => {})}><IconX size={14} /></ActionIcon>
      </Tooltip>
    ),
  };
  return (
    <Panel title="Members" actions={<PageLink to="/events" search={{ group: id, groupType: type } as never} fz="sm">Events</PageLink>}>
      {manage && <AddMember type={type} id={id} />}
      <IdentitiesOf filter={{ group: id, groupType: type }} more={manage ? [more] : []} />
    </Panel>
  );
}

function changed(): Promise<unknown> {
  return Promise.all([refresh("/api/groups"), refresh("/api/identities")]);
}

function AddMember({ type, id }: { type: string; id: string }) {
  const [identityId, setIdentityId] = useState("");
  const [error, setError] = useState<string>();
  const add = $api.useMutation("put", "/api/groups/{type}/{id}/identities/{identityId}", {
    onError: (refusal) => (asApiError(refusal)?.status === 404 ? setError(`${identityId.trim()} is not known.`) : tellError(refusal)),
    onSuccess: async () => {
      await changed();
      tell(`${identityId} added.`);
      setIdentityId("");
    },
  });
  const submit = () => {
    if (identityId.trim() === "") return setError("Enter an identity id.");
    setError(undefined);
    add.mutate({ params: { path: { type, id, identityId: identityId.trim() } } });
  };
  const put = (next: string) => {
    setIdentityId(next);
    setError(undefined);
  };
  return (
    <form noValidate onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <Row gap="xs" align="flex-start">
        <TextInput size="sm" aria-label="Identity id" placeholder="Identity id" required error={error} value={identityId} onChange={(event) => put(event.currentTarget.value)} />
        <Button size="sm" variant="default" type="submit" loading={add.isPending}>Add to the group</Button>
      </Row>
    </form>
  );
}

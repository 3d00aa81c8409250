// What can be done with an identity.

import { Button, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots, IconDownload, IconEye, IconEyeOff, IconListCheck, IconMessageQuestion, IconRefresh, IconTrash } from "@tabler/icons-react";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { AddToList, shownByIdentity } from "../lists/AddToList";
import { LabelMenu } from "../labels/LabelMenu";
import { DeleteIdentity } from "./DeleteIdentity";
import { AskReview } from "./AskReview";
import { Disregard } from "./Disregard";

export function Actions({ identity }: { identity: Schemas["IdentityBody"] }) {
  const may = useMay();
  const path = { id: identity.id };
  const [isAsking, ask] = useDisclosure(false);
  const [isDeleting, remove] = useDisclosure(false);
  const [isDisregarding, disregard] = useDisclosure(false);
  const [isListing, list] = useDisclosure(false);
  const Eye = identity.disregarded ? IconEye : IconEyeOff;
  const analyze = $api.useMutation("post", "/api/identities/{id}/actions/analyze", {
    onSuccess: async () => {
      tell("Rescoring has started.");
      await refresh("/api/identities");
    },
  });
  if (!may.triage) return null;
  return (
    <>
      <LabelMenu identity={identity} />
      <Button size="xs" variant="default" leftSection={<IconRefresh size={14} />} loading={analyze.isPending} onClick={() => analyze.mutate({ params: { path } })}>Rescore now</Button>
      <Button size="xs" variant="default" leftSection={<IconMessageQuestion size={14} />} onClick={ask.open}>Request a review…</Button>
      <Menu position="bottom-end" withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <Button size="xs" variant="default" leftSection={<IconDots size={14} />}>More</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Eye size={16} />} onClick={disregard.open}>{identity.disregarded ? "Stop disregarding…" : "Disregard…"}</Menu.Item>
          <Menu.Item leftSection={<IconListCheck size={16} />} onClick={list.open}>Add to a list…</Menu.Item>
          {may.manage && <Export id={identity.id} />}
          {may.manage && <Menu.Item leftSection={<IconTrash size={16} />} c="var(--mantine-color-error)" onClick={remove.open}>Delete…</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      <AskReview id={identity.id} isOpen={isAsking} close={ask.close} />
      <AddToList shown={(type) => shownByIdentity(identity, type)} first="IDENTITY" isOpen={isListing} close={list.close} />
      <Disregard identity={identity} isOpen={isDisregarding} close={disregard.close} />
      <DeleteIdentity id={identity.id} isOpen={isDeleting} close={remove.close} />
    </>
  );
}

/** Everything that is kept of the person, as a file. */
function Export({ id }: { id: string }) {
  const name = `${id.replaceAll(/[^\w.@-]/g, "_")}.json`;
  return (
    <Menu.Item component="a" href={`/api/identities/${encodeURIComponent(id)}/export`} download={name} leftSection={<IconDownload size={16} />}>
      Export data as JSON
    </Menu.Item>
  );
}

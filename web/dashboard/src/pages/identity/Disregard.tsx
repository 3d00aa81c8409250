// Before an identity is disregarded, or counted again: whose scores that changes, and what it sends.

import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { $api, refresh, tell, type Schemas } from "../../api";
import { Answer, Failure } from "../../parts/Answer";
import { ChangePreview } from "../../parts/ChangePreview";

interface Props {
  identity: Schemas["IdentityBody"];
  isOpen: boolean;
  close: () => void;
}

export function Disregard({ identity, isOpen, close }: Props) {
  const title = identity.disregarded ? "Stop disregarding this identity?" : "Disregard this identity?";
  return (
    <Modal opened={isOpen} onClose={close} title={title} size={1100}>
      <Question identity={identity} close={close} />
    </Modal>
  );
}

function Question({ identity: { id, disregarded }, close }: Omit<Props, "isOpen">) {
  const to = !disregarded;
  const preview = $api.useQuery(
    "post", "/api/identities/{id}/actions/preview-disregard", { params: { path: { id } }, body: { disregarded: to } }, { gcTime: 0, staleTime: Infinity },
  );
  const change = $api.useMutation("patch", "/api/identities/{id}", {
    onError: () => {},
    onSuccess: async () => {
      close();
      tell(to ? "Disregarded: left out of the analysis of others, of rules and of escalations." : "No longer disregarded.");
      await refresh("/api/identities", "/api/escalations");
    },
  });
  return (
    <Stack>
      <Text fz="sm">
        {to
          ? "A disregarded identity is left out of the analysis of others, has no badges, and opens no escalations: meant for your own staff and test accounts. Its own scores stay, and your application still receives them."
          : "It counts in the analysis of others again, and rules give it badges and open escalations."}
      </Text>
      {to && (
        <Alert variant="light" color="yellow" p="xs">
          <Text fz="sm">Somebody who was flagged wrongly is helped by a label instead (Label → Flagged wrongly: label as good…): disregarding changes more, see below.</Text>
        </Alert>
      )}
      <Answer of={preview} lines={5}>{(preview) => <ChangePreview preview={preview} />}</Answer>
      {change.error && <Failure error={change.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
        <Button
          color={to ? "red" : undefined}
          disabled={!preview.data && !preview.error}
          loading={change.isPending}
          onClick={() => change.mutate({ params: { path: { id } }, body: { disregarded: to } })}
        >
          {to ? "Disregard" : "Stop disregarding"}
        </Button>
      </Group>
    </Stack>
  );
}

// Whether everybody in the team has to have a second factor.

import { Group, Text } from "@mantine/core";
import { $api, refresh, tell } from "../../api";
import { useUser } from "../../app/session";
import { Failure } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";

export function RequiredSecondFactor({ isRequired }: { isRequired: boolean }) {
  const { secondFactor, fromProvider } = useUser();
  const change = $api.useMutation("patch", "/api/team", {
    onError: () => {},
    onSuccess: async () => {
      tell(isRequired ? "A second factor is optional now." : "A second factor is required now.");
      await refresh("/api/team", "/api/auth/second-factor");
    },
  });
  const set = (secondFactorRequired: boolean) => change.mutate({ body: { secondFactorRequired } });
  return (
    <Panel title="Second factor" note={isRequired ? "Required of everybody." : "Optional: members choose for themselves."}>
      {change.error && <Failure error={change.error} />}
      {isRequired ? (
        <Group>
          <Confirm action="Make optional" question="Make a second factor optional?" loading={change.isPending} onConfirm={() => set(false)}>
            Members can disable theirs, and new members need none.
          </Confirm>
        </Group>
      ) : secondFactor || fromProvider ? (
        <Group>
          <Confirm action="Require" question="Require a second factor of everybody?" loading={change.isPending} onConfirm={() => set(true)}>
            Whoever has none sets one up before they can do anything else. Until then their MCP tokens and connected MCP clients are rejected.
          </Confirm>
        </Group>
      ) : (
        <Text fz="sm">To require one, <PageLink to="/settings/account" inherit underline="always">set up your own</PageLink> first.</Text>
      )}
    </Panel>
  );
}

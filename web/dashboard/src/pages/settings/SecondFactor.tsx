// One's second factor: whether there is one, and the ways to set it up, to have other recovery codes, and to give it up.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { $api, refresh, tell } from "../../api";
import { Answer } from "../../parts/Answer";
import { Facts, Panel } from "../../parts/Page";
import { Time } from "../../parts/Time";
import { AskPassword } from "./AskPassword";
import { RecoveryCodes } from "./RecoveryCodes";
import { SetUpSecondFactor } from "./SetUpSecondFactor";
import { ShownOnce } from "./ShownOnce";

const PATH = "/api/auth/second-factor";

export function SecondFactor() {
  const factor = $api.useQuery("get", PATH);
  return (
    <Panel title="Second factor" note="An authenticator app, whose code is asked for after your password.">
      <Answer of={factor}>
        {({ enabledAt, recoveryCodesLeft, required }) =>
          enabledAt ? (
            <>
              <Facts facts={[["Enabled", <Time at={enabledAt} />], ["Recovery codes left", String(recoveryCodesLeft)], ["Required by the team", required ? "Yes" : "No"]]} />
              <Group gap="xs"><Renew /><Disable isRequired={required} /></Group>
            </>
          ) : (
            <SetUp />
          )
        }
      </Answer>
    </Panel>
  );
}

/** Asks again for all that says whether there is one. */
function changed(): Promise<void> {
  return refresh(PATH, "/api/auth/me", "/api/auth/sessions", "/api/team/members");
}

function SetUp() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const done = () => {
    close();
    void changed();
  };
  return (
    <Group>
      <Button size="xs" variant="default" onClick={open}>Set up…</Button>
      {/* A stray click does not lose what is shown once. */}
      <Modal opened={isOpen} onClose={done} title="Set up a second factor" closeOnClickOutside={false}>
        <SetUpSecondFactor onDone={done} onCancel={close} />
      </Modal>
    </Group>
  );
}

function Renew() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const renew = $api.useMutation("post", "/api/auth/second-factor/actions/renew-recovery-codes", {
    onError: () => {},
    onSuccess: () => {
      close();
      void refresh(PATH);
    },
  });
  const codes = renew.data?.recoveryCodes;
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>New recovery codes…</Button>
      <Modal opened={isOpen} onClose={close} title="New recovery codes">
        <AskPassword action="Create" error={renew.error} isPending={renew.isPending} onCancel={close} onSubmit={(password) => renew.mutate({ body: { password } })}>
          The codes that you have no longer work.
        </AskPassword>
      </Modal>
      <ShownOnce isOpen={codes !== undefined} title="Recovery codes" onClose={renew.reset}>{codes && <RecoveryCodes codes={codes} />}</ShownOnce>
    </>
  );
}

function Disable({ isRequired }: { isRequired: boolean }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const disable = $api.useMutation("post", "/api/auth/second-factor/actions/disable", {
    onError: () => {},
    onSuccess: () => {
      close();
      // Nothing else can be done then.
      if (isRequired) return location.assign("/second-factor");
      tell("Second factor disabled.");
      return changed();
    },
  });
  return (
    <>
      <Button size="xs" variant="subtle" color="red" onClick={open}>Disable…</Button>
      <Modal opened={isOpen} onClose={close} title="Disable the second factor?">
        <AskPassword action="Disable" color="red" error={disable.error} isPending={disable.isPending} onCancel={close} onSubmit={(password) => disable.mutate({ body: { password } })}>
          <Stack gap={4}>
            <Text inherit>Your password alone signs in then, and your recovery codes no longer work.</Text>
            {isRequired && <Text inherit>Your team requires a second factor: you will set up another one before you can do anything else.</Text>}
          </Stack>
        </AskPassword>
      </Modal>
    </>
  );
}

// Who works on an escalation, and until when it is to be closed: one line.

import { Button, Group, Kbd, Menu, Text } from "@mantine/core";
import { IconUser } from "@tabler/icons-react";
import { $api, tellError } from "../../api";
import { useMay, useUser } from "../../app/session";
import { Chip } from "../../parts/Chip";
import { exactTime, Time } from "../../parts/Time";
import { assign } from "./assigning";
import classes from "./EscalationQueue.module.css";
import { ME, type Escalation } from "./escalations";

export const ASSIGN_KEY = "m";
export const UNASSIGN_KEY = "u";

export function useMembers() {
  return $api.useQuery("get", "/api/team/members", undefined, { staleTime: 60_000 }).data ?? [];
}

/** What a member is called, by the e-mail address; somebody who has left, by that. */
export function useNames(): (email: string) => string {
  const names = new Map(useMembers().map(({ email, name }) => [email, name]));
  return (email) => names.get(email) ?? email;
}

export function Assignee({ escalation }: { escalation: Escalation }) {
  const { triage } = useMay();
  const name = useNames();
  const { email } = useUser();
  const { assignee, status } = escalation;
  const words = !assignee ? "Unassigned" : assignee === email ? "Assigned to you" : `Assigned to ${name(assignee)}`;
  return (
    <Group gap="xs">
      {triage && status !== "CLOSED" ? <Choose escalation={escalation} words={words} /> : <Text fz="sm" c="dimmed" className="break">{words}</Text>}
      <Due escalation={escalation} />
    </Group>
  );
}

function Choose({ escalation, words }: { escalation: Escalation; words: string }) {
  const { email } = useUser();
  const others = useMembers().filter((member) => member.role !== "VIEWER" && member.email !== email);
  const give = (to: string | null) => void assign(escalation, to).catch(tellError);
  return (
    <Menu position="bottom-start" withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <Button size="compact-sm" variant="default" maw="100%" leftSection={<IconUser size={14} />}><span className="clip" style={{ lineHeight: 1.6 }}>{words}</span></Button>
      </Menu.Target>
      <Menu.Dropdown mah={320} style={{ overflowY: "auto" }}>
        <Menu.Item rightSection={<Kbd size="xs" className={classes.key}>{ASSIGN_KEY}</Kbd>} onClick={() => give(ME)}>Me</Menu.Item>
        <Menu.Item rightSection={<Kbd size="xs" className={classes.key}>{UNASSIGN_KEY}</Kbd>} onClick={() => give(null)}>Nobody</Menu.Item>
        {others.length > 0 && <Menu.Divider />}
        {others.map((member) => (
          <Menu.Item key={member.id} onClick={() => give(member.email)}>
            <span className="break">{member.name ?? member.email}</span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Due({ escalation: { dueAt, overdue, status } }: { escalation: Escalation }) {
  if (!dueAt || status === "CLOSED") return null;
  return (
    <>
      {overdue && <Chip tone={0}>Overdue</Chip>}
      <Text c="dimmed" fz="sm">{overdue ? "was due" : "due"} <Time at={dueAt} isAhead={!overdue} />, {exactTime(dueAt)}</Text>
    </>
  );
}

// What the lists of rules of both kinds have in common.

import { Button, Group, Modal, Stack, Switch, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";
import { $api } from "../../api";
import { usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Answer, Empty } from "../../parts/Answer";
import { span } from "../../parts/Time";
import { inWords, type Condition } from "./condition";
import { useNames } from "./rules";
import { counted } from "../../parts/counts";

/** The table of a list of rules; `children` are its rows. */
export function RuleTable({ label, columns, children }: { label: string; columns: string[]; children: ReactNode[] }) {
  const [search] = usePageSearch();
  if (children.length === 0) {
    return search.term ? (
      <Empty title="No matching rules" />
    ) : (
      <Empty title="No rules yet">A rule combines conditions on scores, age and badges, and adds a badge or opens an escalation when they hold.</Empty>
    );
  }
  return (
    <div className="table-box" data-stacks role="group" aria-label={label} tabIndex={0}>
      <Table verticalSpacing={6} horizontalSpacing="sm">
        <Table.Thead>
          <Table.Tr>{columns.map((column) => <Table.Th key={column}>{column}</Table.Th>)}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </div>
  );
}

export function ConditionsInWords({ conditions }: { conditions: Condition[] }) {
  const names = useNames();
  const text = conditions.map((condition) => inWords(condition, names)).join(" and ");
  return <>{text.charAt(0).toUpperCase() + text.slice(1)}</>;
}

interface OnOffProps {
  name: string;
  isOn: boolean;
  /** Turns it; `variables` is what it is being turned to. */
  turn: { isPending: boolean; variables: boolean | undefined; mutate: (isOn: boolean) => void };
  conditions: Condition[];
  /** What follows from turning it off, and what happens to those it matches when it is on. */
  whenOff: string;
  whenOn: string;
}

/** Whether a rule is on, and the way to turn it, which says first what follows. */
export function OnOff({ name, isOn, turn, conditions, whenOff, whenOn }: OnOffProps) {
  const { manage } = useMay();
  const [isAsking, { open, close }] = useDisclosure(false);
  const go = () => {
    close();
    turn.mutate(!isOn);
  };
  const action = isOn ? "Disable" : "Enable";
  return (
    <>
      <span className="on-paper">{isOn ? "Yes" : "No"}</span>
      {manage
        ? <Switch aria-label={`${name} is enabled`} checked={turn.isPending ? turn.variables : isOn} disabled={turn.isPending} onChange={open} />
        : <span className="on-screen">{isOn ? "Yes" : "No"}</span>}
      <Modal opened={isAsking} onClose={close} title={`${action} “${name}”?`}>
        <Stack>
          {isOn ? <Text fz="sm">{whenOff}</Text> : <Matching conditions={conditions} whenOn={whenOn} />}
          <Group justify="flex-end" gap="xs" className="buttons">
            <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
            <Button onClick={go}>{action}</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

/** Whom a rule would match at once. */
function Matching({ conditions, whenOn }: { conditions: Condition[]; whenOn: string }) {
  const preview = $api.useQuery("post", "/api/escalation-rules/actions/preview", { body: { conditions } }, { gcTime: 0 });
  return (
    <Answer of={preview} lines={1}>
      {({ matching }) => <Text fz="sm" role="status">{counted(matching, "identity matches", "identities match")} now. {whenOn}</Text>}
    </Answer>
  );
}

/** A delay in words: "at once", "after 3 h". */
export function after(seconds: number): string {
  return seconds === 0 ? "at once" : `after ${span(seconds)}`;
}

// "?" says which keys do what.

import { Anchor, Kbd, Modal, Table, Text } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { isOfPage } from "../parts/keys";

const KEYS: [string, string][] = [
  ["?", "show keyboard shortcuts"],
  ["Ctrl K", "search everywhere (⌘K on a Mac)"],
  ["/", "search in the list"],
  ["Alt 1 … 8", "go to Home, Identities, Escalations, Events, Devices, Groups, Rules, Settings"],
  ["j  k", "next and previous row of a list"],
  ["Enter", "open the row"],
  ["n", "take the next open escalation that nobody works on"],
  ["m", "assign the escalation to me"],
  ["u", "unassign the escalation"],
  ["s", "snooze the rule of the escalation for this identity"],
  ["t", "write a note on the escalation; Ctrl Enter adds it"],
  ["a", "acknowledge the escalation"],
  ["c", "close the escalation; Enter confirms"],
  ["g  b  n", "while closing: label the identity as good, as bad, or not at all"],
  ["1 … 5", "while closing as bad: the kind"],
  ["r", "while closing: the reason"],
  ["o", "unacknowledge the escalation, or reopen a closed one"],
  ["z", "undo the last move"],
];

export function KeyHelp() {
  const [isOpen, { open, close }] = useDisclosure(false);
  const ask = () => isOfPage() && open();
  useHotkeys([["shift+?", ask], ["?", ask]]);
  return (
    <Modal opened={isOpen} onClose={close} title="Keyboard shortcuts">
      <Table>
        <Table.Tbody>
          {KEYS.map(([key, what]) => (
            <Table.Tr key={key}>
              <Table.Td w="30%">{key.split("  ").map((one) => <Kbd key={one} mr={4}>{one}</Kbd>)}</Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text fz="sm" mt="md">Everything else is in the <Anchor href="/manual" target="_blank" inherit>manual</Anchor>.</Text>
    </Modal>
  );
}

// For whoever has to set up a second factor before anything else: their team requires one.

import { Button, Group, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { queries } from "../api";
import { usePageSearch } from "../app/search";
import { ownPage, signOut } from "../app/session";
import { Door } from "./Door";
import { SetUpSecondFactor } from "./settings/SetUpSecondFactor";

export function SecondFactorFirst() {
  const [search] = usePageSearch();
  const navigate = useNavigate();
  const leave = async () => {
    queries.clear();
    await navigate({ href: ownPage(search.to) });
  };
  return (
    <Door title="Set up a second factor">
      <Text fz="sm">Your team requires one of everybody.</Text>
      <SetUpSecondFactor onDone={() => void leave()} />
      <Group><Button variant="subtle" size="xs" px={0} onClick={() => void signOut()}>Sign out</Button></Group>
    </Door>
  );
}

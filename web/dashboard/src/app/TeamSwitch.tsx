// Which team one is in, and the way to another: for those who are in several.

import { Button, Menu } from "@mantine/core";
import { IconCheck, IconChevronDown, IconUsersGroup } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { CHOSEN_TEAM, chooseTeam, placeInTeam, useUser } from "./session";

export function TeamSwitch() {
  const { teams, teamId, owner } = useUser();
  useEffect(() => {
    const follow = ({ key }: StorageEvent) => {
      if (key === CHOSEN_TEAM) location.assign(placeInTeam(location.pathname));
    };
    addEventListener("storage", follow);
    return () => removeEventListener("storage", follow);
  }, []);
  if (teams.length < 2) return null;
  const name = teams.find(({ id }) => id === teamId)?.name ?? "";
  return (
    <Menu position="bottom-start" width={220} transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <Button
          variant="default" fullWidth miw={0} px={8} fz="sm" fw={600} justify="space-between" leftSection={<IconUsersGroup size={16} />} rightSection={<IconChevronDown size={14} />}
          aria-label={`Team: ${name}. Switch team`} styles={{ label: { flex: 1, textAlign: "start" } }}
        >
          <span className="clip" title={name}>{name}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah="60vh" style={{ overflowY: "auto" }}>
        <Menu.Label>Switch team</Menu.Label>
        {teams.map((team) => (
          <Menu.Item
            key={team.id} aria-current={team.id === teamId ? "true" : undefined} leftSection={<IconCheck size={16} visibility={team.id === teamId ? "visible" : "hidden"} aria-hidden />}
            onClick={() => { if (team.id !== teamId) void chooseTeam(team.id); }}
          >
            <span className="break">{team.name}</span>
          </Menu.Item>
        ))}
        {owner && (
          <>
            <Menu.Divider />
            <Menu.Item component={Link} to="/settings/teams">Manage teams</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

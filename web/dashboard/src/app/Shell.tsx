// The frame of every page: where one is, where one can go, and whether updates arrive.

import { ActionIcon, AppShell, Box, Burger, Button, Group, Menu, ScrollArea, Text, Tooltip, useMantineColorScheme } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import {
  IconAffiliate, IconAlertTriangle, IconBook, IconDeviceLaptop, IconHome, IconListDetails, IconLogout, IconMoon, IconScale, IconSettings, IconSun, IconUser, IconUsers,
} from "@tabler/icons-react";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect } from "react";
import { $api } from "../api";
import { roleName } from "../pages/settings/roles";
import { isOfPage } from "../parts/keys";
import { KeyHelp } from "./KeyHelp";
import { useLive, useLiveState } from "./live";
import { Lost } from "./Lost";
import { useLostSince } from "./reach";
import { SearchEverywhere } from "./SearchEverywhere";
import { signOut, useUser } from "./session";
import { TeamSwitch } from "./TeamSwitch";

const PLACES = [
  { to: "/", label: "Home", icon: IconHome },
  { to: "/identities", label: "Identities", icon: IconUsers },
  { to: "/escalations", label: "Escalations", icon: IconAlertTriangle },
  { to: "/events", label: "Events", icon: IconListDetails },
  { to: "/devices", label: "Devices", icon: IconDeviceLaptop },
  { to: "/groups", label: "Groups", icon: IconAffiliate },
  { to: "/rules", label: "Rules", icon: IconScale },
  { to: "/settings", label: "Settings", icon: IconSettings },
] as const;

/** Pages that belong to a place, and have addresses of their own. */
const BELOW: Partial<Record<string, string[]>> = { "/rules": ["/badge-rules/", "/escalation-rules/", "/analyzers/"], "/settings": ["/deliveries/"] };
const ACTIVE = { "data-status": "active", "aria-current": "page" } as const;

const compact = new Intl.NumberFormat("en", { notation: "compact" });

/** The keys that go places, wherever one is. */
const KEYS: [string, string][] = [
  ["alt+1", "/"], ["alt+2", "/identities"], ["alt+3", "/escalations"], ["alt+4", "/events"],
  ["alt+5", "/devices"], ["alt+6", "/groups"], ["alt+7", "/rules"], ["alt+8", "/settings"],
];

export function Shell() {
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const navigate = useNavigate();
  useLive();
  const isLost = useLostSince() !== undefined;
  const isInSeveral = useUser().teams.length > 1;
  useEffect(() => {
    close();
  }, [path, close]);
  useHotkeys([
    ...KEYS.map(([key, to]): [string, () => void] => [key, () => void navigate({ to })]),
    ["/", () => isOfPage() && document.querySelector<HTMLInputElement>("input[type=search]")?.focus()],
  ]);
  return (
    <AppShell navbar={{ width: 208, breakpoint: "sm", collapsed: { mobile: !isOpen } }} header={{ height: { base: 52, sm: 0 } }} padding="md">
      <a className="skip-link" href="#main">Skip to the page</a>
      <AppShell.Header hiddenFrom="sm" px="md">
        <Group h="100%" gap="sm" wrap="nowrap">
          <Burger opened={isOpen} onClick={toggle} size="sm" aria-label="Navigation" />
          <Brand />
          <Box flex={1} miw={0} maw={240} ml="auto"><TeamSwitch /></Box>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label="Main">
        <AppShell.Section visibleFrom="sm" px="xs" py="sm"><Brand /></AppShell.Section>
        {isInSeveral && <AppShell.Section visibleFrom="sm" pb="xs"><TeamSwitch /></AppShell.Section>}
        <AppShell.Section pb="sm"><SearchEverywhere /></AppShell.Section>
        <AppShell.Section grow component={ScrollArea} className="nav"><Places /><Manual /></AppShell.Section>
        <AppShell.Section><Person /></AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} data-old={isLost || undefined}><Lost /><Outlet /></AppShell.Main>
      <KeyHelp />
    </AppShell>
  );
}

function Brand() {
  const state = useLiveState();
  const text = { live: "Live updates are on", connecting: "Connecting to the server…", paused: "Live updates are paused while this tab is hidden" };
  return (
    <Group gap="xs" wrap="nowrap">
      <img src="/icon.svg" alt="" width={22} height={22} />
      <Text fw={700} fz="lg">dregs</Text>
      <Tooltip label={text[state]} position="right">
        <span role="status" aria-label={text[state]} className="live" data-state={state} tabIndex={0} />
      </Tooltip>
    </Group>
  );
}

function Places() {
  const { data } = $api.useQuery("get", "/api/escalations/summary");
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isBelow = (to: string) => BELOW[to]?.some((begins) => path.startsWith(begins)) ?? false;
  return PLACES.map((place) => (
    <Link key={place.to} to={place.to} activeOptions={{ exact: place.to === "/" }} {...(isBelow(place.to) ? ACTIVE : {})}>
      {({ isActive: isThere }) => {
        const isActive = isThere || isBelow(place.to);
        const Icon = place.icon;
        return (
          <>
            <Icon size={18} stroke={isActive ? 2.2 : 1.7} aria-hidden />
            <span style={{ flex: 1 }}>{place.label}</span>
            {place.to === "/escalations" && data && data.open > 0 && <span className="chip" data-tone="1" aria-label={`${data.open} open`}>{compact.format(data.open)}</span>}
          </>
        );
      }}
    </Link>
  ));
}

function Manual() {
  return (
    <a href="/manual" target="_blank" rel="noreferrer">
      <IconBook size={18} stroke={1.7} aria-hidden />
      <span style={{ flex: 1 }}>Manual</span>
    </a>
  );
}

function Person() {
  const user = useUser();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = colorScheme === "dark" ? "light" : "dark";
  return (
    <Group gap={0} wrap="nowrap">
      <Menu position="top-start" width={200}>
        <Menu.Target>
          <Button variant="subtle" color="gray" flex={1} miw={0} px={6} fz="xs" fw={500} justify="flex-start" leftSection={<IconUser size={16} />} styles={{ section: { marginInlineEnd: 6 } }}>
            <span className="clip" title={user.name ?? user.email}>{user.name ?? user.email}</span>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{user.email} · {roleName(user.role).toLowerCase()}</Menu.Label>
          <Menu.Item component={Link} to="/settings/account" leftSection={<IconUser size={16} />}>Account</Menu.Item>
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>Sign out</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Tooltip label={next === "dark" ? "Dark" : "Light"}>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Use the ${next} theme`} onClick={() => setColorScheme(next)}>
          {next === "dark" ? <IconMoon size={18} /> : <IconSun size={18} />}
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}

// The frame of the settings: what there is to set, beside the one that is open.

import { NativeSelect } from "@mantine/core";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useMay, useUser } from "../../app/session";
import classes from "./Settings.module.css";

const PLACES = [
  { to: "/settings/channels", label: "Channels" },
  { to: "/settings/credentials", label: "Credentials", isAdmins: true },
  { to: "/settings/team", label: "Team" },
  { to: "/settings/teams", label: "Teams", isOwners: true },
  { to: "/settings/mappings", label: "Mappings" },
  { to: "/settings/datasets", label: "Datasets" },
  { to: "/settings/counters", label: "Counters" },
  { to: "/settings/lists", label: "Lists" },
  { to: "/settings/weights", label: "Weights" },
  { to: "/settings/usage", label: "Usage" },
  { to: "/settings/retention", label: "Retention" },
  { to: "/settings/audit-log", label: "Audit log", isAdmins: true },
  { to: "/settings/system", label: "System" },
  { to: "/settings/mcp-tokens", label: "MCP tokens" },
  { to: "/settings/account", label: "Account" },
] as const;

type Place = (typeof PLACES)[number];

export function Settings() {
  const { manage } = useMay();
  const { owner } = useUser();
  const places = PLACES.filter((place) => (manage || !("isAdmins" in place)) && (owner || !("isOwners" in place)));
  return (
    <div className={classes.frame}>
      <SideList places={places} />
      <SmallList places={places} />
      <div className={classes.page}><Outlet /></div>
    </div>
  );
}

function SideList({ places }: { places: Place[] }) {
  return (
    <nav aria-label="Settings" className={`nav ${classes.side}`}>
      {places.map((place) => <Link key={place.to} to={place.to}>{place.label}</Link>)}
    </nav>
  );
}

/** The same on a small screen. */
function SmallList({ places }: { places: Place[] }) {
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const current = places.find((place) => path === place.to || path.startsWith(`${place.to}/`));
  return (
    <NativeSelect
      className={classes.small}
      aria-label="Settings"
      value={current?.to ?? ""}
      data={[...(current ? [] : [{ value: "", label: "Settings" }]), ...places.map((place) => ({ value: place.to as string, label: place.label as string }))]}
      onChange={(event) => void navigate({ to: event.currentTarget.value })}
    />
  );
}

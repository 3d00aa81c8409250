// Every page of the dashboard.

import { createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";
import { Broken } from "../parts/Broken";
import { NotThere } from "../parts/NotThere";
import { Shell } from "./Shell";
import { lazyPage } from "./lazyPage";
import { parseSearch, stringifySearch, type Search } from "./search";
import { session } from "./session";

const root = createRootRoute({ validateSearch: (search) => search as Search });

/** Has those sign in who are not, and set up a second factor who have to, and come back. */
async function signedIn({ location }: { location: { href: string } }): Promise<void> {
  const user = await session();
  if (user && !user.secondFactorMissing) return;
  const to = location.href === "/" ? {} : { to: location.href };
  throw redirect({ to: user ? "/second-factor" : "/sign-in", search: to as never });
}

/** Lets those set up a second factor who have to, and nobody else. */
async function lacksSecondFactor(): Promise<void> {
  const user = await session();
  if (!user?.secondFactorMissing) throw redirect({ to: user ? "/" : "/sign-in" });
}

/** Pages inside the frame, for those who are signed in. */
const frame = createRoute({ getParentRoute: () => root, id: "frame", component: Shell, beforeLoad: signedIn });

const outside = { getParentRoute: () => root };
const inside = { getParentRoute: () => frame };
const settings = createRoute({
  ...inside,
  path: "/settings",
  component: lazyPage(() => import("../pages/settings/Settings"), "Settings"),
});
const setting = { getParentRoute: () => settings };

const routes = root.addChildren([
  createRoute({ ...outside, path: "/sign-in", component: lazyPage(() => import("../pages/SignIn"), "SignIn") }),
  createRoute({ ...outside, path: "/sign-in/oidc", component: lazyPage(() => import("../pages/ProviderReturn"), "ProviderReturn") }),
  createRoute({ ...outside, path: "/second-factor", beforeLoad: lacksSecondFactor, component: lazyPage(() => import("../pages/SecondFactorFirst"), "SecondFactorFirst") }),
  createRoute({ ...outside, path: "/accept-invitation", component: lazyPage(() => import("../pages/AcceptInvitation"), "AcceptInvitation") }),
  createRoute({ ...outside, path: "/oauth/authorize", beforeLoad: signedIn, component: lazyPage(() => import("../pages/Consent"), "Consent") }),
  frame.addChildren([
    createRoute({ ...inside, path: "/", component: lazyPage(() => import("../pages/home/Home"), "Home") }),
    createRoute({ ...inside, path: "/identities", component: lazyPage(() => import("../pages/identities/IdentityList"), "IdentityList") }),
    createRoute({ ...inside, path: "/identities/$id", component: lazyPage(() => import("../pages/identity/IdentityPage"), "IdentityPage") }),
    createRoute({ ...inside, path: "/events", component: lazyPage(() => import("../pages/events/EventList"), "EventList") }),
    createRoute({ ...inside, path: "/events/$id", component: lazyPage(() => import("../pages/events/EventPage"), "EventPage") }),
    createRoute({ ...inside, path: "/devices", component: lazyPage(() => import("../pages/devices/DeviceList"), "DeviceList") }),
    createRoute({ ...inside, path: "/devices/$fingerprint", component: lazyPage(() => import("../pages/devices/DevicePage"), "DevicePage") }),
    createRoute({ ...inside, path: "/groups", component: lazyPage(() => import("../pages/groups/GroupList"), "GroupList") }),
    createRoute({ ...inside, path: "/groups/$type/$id", component: lazyPage(() => import("../pages/groups/GroupPage"), "GroupPage") }),
    createRoute({ ...inside, path: "/escalations", component: lazyPage(() => import("../pages/escalations/EscalationQueue"), "EscalationQueue") }),
    createRoute({ ...inside, path: "/rules", component: lazyPage(() => import("../pages/rules/RuleList"), "RuleList") }),
    createRoute({ ...inside, path: "/badge-rules/$id", component: lazyPage(() => import("../pages/rules/BadgeRulePage"), "BadgeRulePage") }),
    createRoute({ ...inside, path: "/analyzers/$id", component: lazyPage(() => import("../pages/rules/AnalyzerPage"), "AnalyzerPage") }),
    createRoute({ ...inside, path: "/escalation-rules/$id", component: lazyPage(() => import("../pages/rules/EscalationRulePage"), "EscalationRulePage") }),
    createRoute({ ...inside, path: "/deliveries/$id", component: lazyPage(() => import("../pages/deliveries/DeliveryPage"), "DeliveryPage") }),
    createRoute({ ...inside, path: "/badge-rules", beforeLoad: () => { throw redirect({ to: "/rules" }); } }),
    createRoute({ ...inside, path: "/escalation-rules", beforeLoad: () => { throw redirect({ to: "/rules" }); } }),
    createRoute({ ...inside, path: "/channels", beforeLoad: () => { throw redirect({ to: "/settings/channels" }); } }),
    createRoute({ ...inside, path: "/deliveries", beforeLoad: () => { throw redirect({ to: "/settings/channels" }); } }),
    createRoute({ ...inside, path: "$", component: NotThere }),
    settings.addChildren([
      createRoute({ ...setting, path: "/", beforeLoad: () => { throw redirect({ to: "/settings/channels" }); } }),
      createRoute({ ...setting, path: "/channels", component: lazyPage(() => import("../pages/channels/ChannelList"), "ChannelList") }),
      createRoute({ ...setting, path: "/channels/$id", component: lazyPage(() => import("../pages/channels/ChannelPage"), "ChannelPage") }),
      createRoute({ ...setting, path: "/credentials", component: lazyPage(() => import("../pages/settings/Credentials"), "Credentials") }),
      createRoute({ ...setting, path: "/team", component: lazyPage(() => import("../pages/settings/Team"), "Team") }),
      createRoute({ ...setting, path: "/teams", component: lazyPage(() => import("../pages/settings/Teams"), "Teams") }),
      createRoute({ ...setting, path: "/account", component: lazyPage(() => import("../pages/settings/Account"), "Account") }),
      createRoute({ ...setting, path: "/datasets", component: lazyPage(() => import("../pages/settings/Datasets"), "Datasets") }),
      createRoute({ ...setting, path: "/counters", component: lazyPage(() => import("../pages/counters/Counters"), "Counters") }),
      createRoute({ ...setting, path: "/lists", component: lazyPage(() => import("../pages/lists/Lists"), "Lists") }),
      createRoute({ ...setting, path: "/lists/$id", component: lazyPage(() => import("../pages/lists/ListPage"), "ListPage") }),
      createRoute({ ...setting, path: "/mappings", component: lazyPage(() => import("../pages/settings/Mappings"), "Mappings") }),
      createRoute({ ...setting, path: "/mcp-tokens", component: lazyPage(() => import("../pages/settings/McpTokens"), "McpTokens") }),
      createRoute({ ...setting, path: "/weights", component: lazyPage(() => import("../pages/settings/Weights"), "Weights") }),
      createRoute({ ...setting, path: "/usage", component: lazyPage(() => import("../pages/settings/Usage"), "Usage") }),
      createRoute({ ...setting, path: "/retention", component: lazyPage(() => import("../pages/settings/Retention"), "Retention") }),
      createRoute({ ...setting, path: "/audit-log", component: lazyPage(() => import("../pages/settings/AuditLog"), "AuditLog") }),
      createRoute({ ...setting, path: "$", component: NotThere }),
      createRoute({ ...setting, path: "/system", component: lazyPage(() => import("../pages/settings/System"), "System") }),
    ]),
  ]),
]);

export const router = createRouter({
  routeTree: routes,
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

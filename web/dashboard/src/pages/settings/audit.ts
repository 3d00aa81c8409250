// What the audit log writes down, in the words of who reads it: the names are the API's, and stay in the address.

import { word } from "../../parts/score";

const ACTIONS: Record<string, string> = {
  "badge-rule.change": "Badge rule changed",
  "badge-rule.create": "Badge rule created",
  "badge-rule.delete": "Badge rule deleted",
  "channel.change": "Channel changed",
  "channel.create": "Channel created",
  "channel.delete": "Channel deleted",
  "channel.disable": "Channel disabled by the server",
  "channel.replay": "Deliveries replayed",
  "channel.reset-lost-secrets": "Channel's lost secrets replaced",
  "channel.retry": "Channel tried again",
  "channel.rotate-secret": "Signing secret rotated",
  "channel.test": "Test delivery sent",
  "credential.change": "Credential changed",
  "credential.create": "Credential created",
  "credential.delete": "Credential deleted",
  "dataset-entry.create": "Dataset entry added",
  "dataset-entry.delete": "Dataset entry removed",
  "delivery.resend": "Delivery resent",
  "device.change": "Device changed",
  "escalation-rule.change": "Escalation rule changed",
  "escalation-rule.create": "Escalation rule created",
  "escalation-rule.delete": "Escalation rule deleted",
  "escalation.change": "Escalation changed",
  "group.add-member": "Member added to a group",
  "group.change": "Group changed",
  "group.create": "Group created",
  "group.remove-member": "Member removed from a group",
  "identity.change": "Identity changed",
  "identity.delete": "Identity deleted",
  "identity.dismiss-badge": "Badge dismissed",
  "identity.label": "Identity labelled",
  "identity.restore-badge": "Badge restored",
  "identity.review": "Review requested",
  "identity.withdraw-label": "Label withdrawn",
  "invitation.create": "Member invited",
  "invitation.remove": "Invitation revoked",
  "mapping.change": "Mapping changed",
  "mapping.create": "Mapping created",
  "mapping.delete": "Mapping deleted",
  "mcp-client.approve": "MCP client approved",
  "mcp-client.connect": "MCP client connected",
  "mcp-client.disconnect": "MCP client disconnected",
  "mcp-token.create": "MCP token created",
  "mcp-token.delete": "MCP token deleted",
  "member.change": "Member's role changed",
  "member.join": "Member joined",
  "member.remove": "Member left or removed",
  "password.change": "Password changed",
  "retention.change": "Retention changed",
  "session.begin": "Signed in",
  "session.end": "Signed out",
  "session.refuse": "Sign-in refused",
  "team.change": "Team renamed",
  "view.create": "View saved",
  "view.delete": "View deleted",
};

/** "Sign-in refused"; one that a newer server writes as it is. */
export function actionWords(action: string): string {
  return ACTIONS[action] ?? action;
}

/** "Badge rule", "MCP token". */
export function targetWords(type: string): string {
  return word(type.replaceAll("-", "_")).replace("Mcp", "MCP");
}

type Option = [value: string, words: string];
const byWords = ([, one]: Option, [, other]: Option) => one.localeCompare(other, "en");

export const ACTION_OPTIONS: Option[] = Object.entries(ACTIONS).toSorted(byWords);

/** What things are done to. */
const TARGETS = [
  "badge-rule", "channel", "credential", "dataset-entry", "delivery", "device", "escalation", "escalation-rule", "group", "identity",
  "invitation", "mapping", "mcp-client", "mcp-token", "member", "retention", "team", "user", "view",
];
export const TARGET_OPTIONS: Option[] = TARGETS.map((type): Option => [type, targetWords(type)]).toSorted(byWords);

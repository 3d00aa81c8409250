// What the audit log writes down, in the words of who reads it: the names are the API's, and stay in the address.

import { word } from "../../parts/score";
import { roleName } from "./roles";

const ACTIONS: Record<string, string> = {
  "audit-entry.undo": "Change of lists undone",
  "badge-rule.change": "Badge rule changed",
  "badge-rule.create": "Badge rule created",
  "badge-rule.delete": "Badge rule deleted",
  "badge-rule.discard-draft": "Draft of a badge rule discarded",
  "badge-rule.draft": "Badge rule drafted",
  "badge-rule.promote-draft": "Draft of a badge rule put in force",
  "bulk-change.create": "Many escalations changed",
  "bulk-change.undo": "Change of many escalations undone",
  "channel.change": "Channel changed",
  "channel.create": "Channel created",
  "channel.delete": "Channel deleted",
  "channel.disable": "Channel disabled by the server",
  "channel.replay": "Deliveries replayed",
  "channel.reset-lost-secrets": "Channel's lost secrets replaced",
  "channel.retry": "Channel tried again",
  "channel.rotate-secret": "Signing secret rotated",
  "channel.test": "Test delivery sent",
  "counter.change": "Counter changed",
  "counter.create": "Counter created",
  "counter.delete": "Counter deleted",
  "credential.change": "Credential changed",
  "credential.create": "Credential created",
  "credential.delete": "Credential deleted",
  "dataset-entry.create": "Dataset entry added",
  "dataset-entry.delete": "Dataset entry removed",
  "delivery.resend": "Delivery resent",
  "device.change": "Device changed",
  "escalation.note": "Note added to an escalation",
  "escalation.remove-note": "Note deleted from an escalation",
  "escalation-rule.change": "Escalation rule changed",
  "escalation-rule.create": "Escalation rule created",
  "escalation-rule.delete": "Escalation rule deleted",
  "escalation-rule.discard-draft": "Draft of an escalation rule discarded",
  "escalation-rule.draft": "Escalation rule drafted",
  "escalation-rule.promote-draft": "Draft of an escalation rule put in force",
  "escalation.assign": "Escalation assigned",
  "escalation.change": "Escalation changed",
  "group.add-member": "Member added to a group",
  "group.change": "Group changed",
  "group.create": "Group created",
  "group.remove-member": "Member removed from a group",
  "identity.analyze": "Identity rescored",
  "identity.change": "Identity changed",
  "identity.delete": "Identity deleted",
  "identity.dismiss-badge": "Badge dismissed",
  "identity.end-snooze": "Snooze of a rule ended",
  "identity.label": "Identity labeled",
  "identity.restore-badge": "Badge restored",
  "identity.review": "Review requested",
  "identity.snooze-rule": "Rule snoozed for an identity",
  "identity.withdraw-label": "Label withdrawn",
  "invitation.create": "Member invited",
  "invitation.remove": "Invitation revoked",
  "list-entry.create": "Entries put on a list",
  "list-entry.delete": "Entry taken off a list",
  "list.change": "List changed",
  "list.create": "List created",
  "list.delete": "List deleted",
  "list.import": "Table imported into a list",
  "mapping.change": "Mapping changed",
  "mapping.create": "Mapping created",
  "mapping.delete": "Mapping deleted",
  "mcp-client.approve": "MCP client approved",
  "mcp-client.connect": "MCP client connected",
  "mcp-client.disconnect": "MCP client disconnected",
  "mcp-token.create": "MCP token created",
  "mcp-token.delete": "MCP token deleted",
  "member.bind": "Member bound to the sign-in provider",
  "member.change": "Member's role changed",
  "member.end-sessions": "Member's sessions in the team ended",
  "member.join": "Member joined",
  "member.remove": "Member left or removed",
  "member.rename": "Member renamed",
  "member.reset-second-factor": "Member's second factor reset",
  "member.shut-out": "Member shut out: no role at the sign-in provider",
  "owner.add": "Owner of the installation added",
  "owner.remove": "Owner of the installation removed",
  "passkey.create": "Passkey created",
  "passkey.delete": "Passkey removed",
  "password.change": "Password changed",
  "password.reset": "Password reset on the command line",
  "retention.change": "Retention changed",
  "ring.ban": "Ring banned",
  "second-factor.disable": "Second factor disabled",
  "second-factor.enable": "Second factor enabled",
  "second-factor.renew-recovery-codes": "Recovery codes renewed",
  "second-factor.use-recovery-code": "Recovery code used",
  "session.begin": "Signed in",
  "session.choose-team": "Switched to this team",
  "session.end": "Signed out",
  "session.refuse": "Sign-in refused",
  "session.revoke": "Session ended",
  "session.revoke-others": "Other sessions ended",
  "team.change": "Team changed",
  "team.create": "Team created",
  "team.delete": "Another team deleted",
  "view.create": "View saved",
  "view.delete": "View deleted",
  "weights.promote": "Weights promoted",
  "weights.propose": "Weights calibrated",
  "weights.roll-back": "Weights rolled back",
  "weights.shadow": "Weights put in shadow",
};

/** "Sign-in refused"; one that a newer server writes as it is. */
export function actionWords(action: string): string {
  return ACTIONS[action] ?? action;
}

/** "Badge rule", "MCP token". */
export function targetWords(type: string): string {
  // Of somebody's own sign-in and password: who works with the application has nothing to do with its users.
  return type === "user" ? "Account" : word(type.replaceAll("-", "_"));
}

/** What the parts of a path are called where their name says too little, or is short for something. */
const PARTS: Record<string, string> = {
  asn: "network", config: "configuration", email: "e-mail", id: "id", inForce: "version in force", ip: "IP address", mailsPerMinute: "e-mails per minute",
  ratePerSecond: "requests per second", maxConcurrency: "concurrent requests", replaced: "version replaced", timeoutMs: "timeout, ms", url: "URL",
};

/** What has changed, in words: "configuration: URL" of `config.url`, "condition 1" of `conditions[0]`. */
export function pathWords(path: string): string {
  // What a list is called.
  if (path.includes(" ")) return path;
  const words = path.split(".").map((part) => {
    const [, name = part, at] = /^(.*?)\[(\d+)\]$/.exec(part) ?? [];
    const known = PARTS[name] ?? name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").replaceAll(/[_-]/g, " ").toLowerCase();
    return at === undefined ? known : `${known.replace(/([^s])s$/, "$1")} ${Number(at) + 1}`;
  }).join(": ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Fields whose values are names of the API. */
const ENUMERATED = /(^|\.)(status|outcome|kind|source|function|severity|type)$/;

/** Of what was or is, as the log has it. */
export function valueWords(value: string, path = ""): string {
  if (/(^|\.)role$/.test(path)) return roleName(value);
  if (path === "undone") return actionWords(value);
  if (ENUMERATED.test(path) && /^[A-Z]+(_[A-Z]+)*$/.test(value)) return word(value);
  return { null: "none", true: "yes", false: "no" }[value] ?? value;
}

type Option = [value: string, words: string];
const byWords = ([, one]: Option, [, other]: Option) => one.localeCompare(other, "en");

export const ACTION_OPTIONS: Option[] = Object.entries(ACTIONS).toSorted(byWords);

/** What things are done to. */
const TARGETS = [
  "audit-entry", "badge-rule", "bulk-change", "channel", "counter", "credential", "dataset-entry", "delivery", "device", "escalation", "escalation-rule", "group", "identity",
  "invitation", "list", "mapping", "mcp-client", "mcp-token", "member", "team", "user", "view", "weights",
];
export const TARGET_OPTIONS: Option[] = TARGETS.map((type): Option => [type, targetWords(type)]).toSorted(byWords);

// What has become of an escalation, in the order of time, and what people have noted of it.

import { Button, Group, Kbd, Stack, Text, Textarea } from "@mantine/core";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { $api, refresh, type Schemas } from "../../api";
import { useMay, useUser } from "../../app/session";
import { Answer, Failure } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { Panel } from "../../parts/Page";
import { exactTime, Time } from "../../parts/Time";
import { useMembers, useNames } from "./Assignee";
import classes from "./EscalationQueue.module.css";

type Entry = Schemas["EscalationHistoryEntryBody"];
type Member = Schemas["UserBody"];

/** As the server has it. */
const NOTE_MAX_CHARS = 4_000;
/** Members that are offered at once. */
const OFFERED = 5;
/** What changes the status. */
const MOVES = new Set(["OPENED", "ACKNOWLEDGED", "CLOSED", "REOPENED"]);
export const NOTE_KEY = "t";
/** A name after an @ that is no part of an e-mail address. */
const MENTION = /(?:^|[\s(])@([\w.+-]+(?:@[\w.-]+)?)/g;

/** Goes to the field in which a note is written. */
export function writeNote(): void {
  document.querySelector<HTMLElement>("[data-note]")?.focus();
}

export function History({ id }: { id: number }) {
  const { triage } = useMay();
  const history = $api.useQuery("get", "/api/escalations/{id}/history", { params: { path: { id } } });
  return (
    <Panel title="History">
      <Answer of={history} lines={3}>
        {(entries) => (
          <ol className={classes.history}>
            {entries.map((entry, at) => <Happened key={entry.noteId ?? `${entry.type} ${entry.at} ${at}`} id={id} entry={entry} isUnacknowledged={isUnacknowledged(entries, at)} />)}
          </ol>
        )}
      </Answer>
      {triage && <NewNote id={id} />}
    </Panel>
  );
}

/** Whether what happened at this place took back an acknowledgment: only what was closed is reopened. */
function isUnacknowledged(entries: Entry[], at: number): boolean {
  const before = entries.slice(0, at).findLast(({ type }) => MOVES.has(type));
  return entries[at]?.type === "REOPENED" && before?.type === "ACKNOWLEDGED";
}

function Happened({ id, entry, isUnacknowledged }: { id: number; entry: Entry; isUnacknowledged: boolean }) {
  const name = useNames();
  const { email } = useUser();
  const who = (by: string) => (by === email ? "You" : name(by));
  const { type, at, by, text, noteId } = entry;
  return (
    <li>
      <Text fz="sm" className="break">{isUnacknowledged ? `${who(by ?? "")} unacknowledged it` : words(entry, who)} <Text span c="dimmed" inherit><Time at={at} /></Text></Text>
      {text && type !== "OPENED" && <Text fz="sm" className={`break ${classes.said}`} data-noted={type === "NOTED" || undefined}>{text}</Text>}
      {typeof noteId === "number" && by === email && <DeleteNote id={id} noteId={noteId} />}
    </li>
  );
}

function words({ type, by, text, assignee, outcome, until }: Entry, who: (by: string) => string): string {
  const one = by ? who(by) : "Its rule";
  const labeled = `the identity as ${outcome?.toLowerCase() ?? ""}`;
  switch (type) {
    case "OPENED": return `Opened by ${text ?? "its rule"}`;
    case "ASSIGNED":
      if (!assignee) return `${one} unassigned it`;
      return assignee === by ? `${one} took it` : `${one} assigned it to ${who(assignee) === "You" ? "you" : who(assignee)}`;
    case "ACKNOWLEDGED": return `${one} acknowledged it`;
    case "NOTED": return `${one} noted`;
    case "LABELED": return `${one} labeled ${labeled}`;
    case "LABEL_WITHDRAWN": return `${one} withdrew the label of ${labeled}`;
    case "SNOOZED": return `${one} snoozed its rule for this identity${until ? ` until ${exactTime(until)}` : ""}`;
    case "SNOOZE_ENDED": return `${one} ended the snooze of its rule`;
    case "CLOSED": return `${one} closed it`;
    case "REOPENED": return `${one} reopened it`;
    // Of a newer server.
    default: return `${one}: ${type}`;
  }
}

function DeleteNote({ id, noteId }: { id: number; noteId: number }) {
  const remove = $api.useMutation("delete", "/api/escalations/{id}/notes/{noteId}", { onSuccess: () => refresh("/api/escalations") });
  return (
    <Confirm action="Delete" size="compact-xs" question="Delete your note?" onConfirm={() => remove.mutate({ params: { path: { id, noteId } } })}>
      Nobody can read it any more, and whom it mentions is no longer told. The audit log says that there was one.
    </Confirm>
  );
}

function NewNote({ id }: { id: number }) {
  const [text, setText] = useState("");
  const [caret, setCaret] = useState(0);
  const field = useRef<HTMLTextAreaElement>(null);
  const add = $api.useMutation("post", "/api/escalations/{id}/notes", {
    onError: () => {},
    onSuccess: async () => {
      setText("");
      await refresh("/api/escalations");
    },
  });
  const { offered, begun } = useOffered(text.slice(0, caret));
  const strangers = useStrangers(text, begun);
  const form = useRef<HTMLFormElement>(null);
  // The field with all that belongs to it, out from under the edge of its pane and what is told there.
  const show = () => form.current?.scrollIntoView({ block: "nearest" });
  useEffect(() => {
    if (document.activeElement === field.current) show();
  }, [offered.length, strangers.length]);
  const mention = (handle: string) => {
    const before = `${text.slice(0, caret - begun.length)}${handle} `;
    setText(before + text.slice(caret));
    setCaret(before.length);
    field.current?.focus();
  };
  const submit = () => {
    if (text.trim() && !add.isPending) add.mutate({ params: { path: { id } }, body: { text: text.trim() } });
  };
  const press = (event: KeyboardEvent) => {
    const [first] = offered;
    const isSent = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (isSent) submit();
    else if (event.key === "Enter" && first) mention(first.handle);
    else if (event.key === "Escape") field.current?.blur();
    else return;
    event.preventDefault();
  };
  return (
    <form ref={form} className={classes.note} onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <Stack gap="xs">
        <Textarea
          ref={field}
          onFocus={show}
          data-note
          aria-label="Note"
          placeholder="Add a note; @ mentions a colleague"
          autosize
          minRows={2}
          maxRows={10}
          maxLength={NOTE_MAX_CHARS}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setCaret(event.currentTarget.selectionStart);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          onKeyDown={press}
        />
        {offered.length > 0 && (
          <Group gap={4} role="group" aria-label="Mention">
            {offered.map(({ handle, member }) => (
              <Button key={member.id} size="compact-xs" variant="default" maw="100%" onClick={() => mention(handle)}><span className="clip">{member.name ?? member.email}</span></Button>
            ))}
          </Group>
        )}
        {strangers.length > 0 && <Text fz="sm" c="dimmed" role="status">{strangers.join(", ")}: nobody in this team is called so, and nobody is told.</Text>}
        {add.error ? <Failure error={add.error} /> : null}
        <Group>
          <Button type="submit" size="xs" variant="default" disabled={!text.trim()} loading={add.isPending} rightSection={<Kbd size="xs" className={classes.key}>Ctrl Enter</Kbd>}>Add note</Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What looks like a mention and means nobody; not what is being written. */
function useStrangers(text: string, begun: string): string[] {
  const members = useMembers();
  const known = new Set(members.flatMap((member) => [member.email, handleOf(member, members)]).map((name) => name.toLowerCase()));
  const found = [...text.matchAll(MENTION)].map(([, name]) => name?.replace(/\.+$/, "") ?? "");
  return [...new Set(found)].filter((name) => name !== "" && name !== begun && !known.has(name.toLowerCase())).map((name) => `@${name}`);
}

const localOf = ({ email }: Member) => email.split("@")[0] ?? email;

/** The shortest name that means nobody else. */
function handleOf(member: Member, members: Member[]): string {
  return members.filter((other) => localOf(other) === localOf(member)).length === 1 ? localOf(member) : member.email;
}

/** Whom what was begun before the caret may mean, each by the shortest name that means nobody else. */
function useOffered(before: string): { offered: { handle: string; member: Member }[]; begun: string } {
  const members = useMembers();
  const { email } = useUser();
  const begun = /(?:^|[\s(])@([\w.+-]*)$/.exec(before)?.[1];
  if (begun === undefined) return { offered: [], begun: "" };
  const isMeant = (member: Member) => [localOf(member), ...(member.name ?? "").split(" ")].some((part) => part.toLowerCase().startsWith(begun.toLowerCase()));
  // Nobody tells themselves; whoever only reads has no work to be called to.
  const others = members.filter((member) => member.email !== email && member.role !== "VIEWER");
  return { offered: others.filter(isMeant).slice(0, OFFERED).map((member) => ({ handle: handleOf(member, members), member })), begun };
}

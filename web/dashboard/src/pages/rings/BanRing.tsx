// Bans what a ring has, its devices, addresses and the like, in one step that can be undone.

import { Alert, Button, Checkbox, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBan } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { $api, asApiError, refresh, tell, tellError } from "../../api";
import { useMay } from "../../app/session";
import { sentence } from "../../fields";
import { Answer, Failure } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { offer } from "../../parts/offer";
import { IdentityLink } from "../../parts/PageLink";
import { toUtc } from "../../parts/TimeFilter";
import { refreshUndone, undo, undoneWords } from "../lists/undoAct";
import { bannedWords, createRule, holders, isGood, type Key, keyOf, mayHitOthers, type Ring, typeWords } from "./ring";
import classes from "./BanRing.module.css";

export function BanRing({ id }: { id: string }) {
  const { triage } = useMay();
  const [isOpen, { open, close }] = useDisclosure(false);
  if (!triage) return null;
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconBan size={14} />} onClick={open}>Ban this ring…</Button>
      <Modal opened={isOpen} onClose={close} title="Ban this ring" size={860}>{isOpen && <Question id={id} close={close} />}</Modal>
    </>
  );
}

function Question({ id, close }: { id: string; close: () => void }) {
  const ring = $api.useQuery("get", "/api/identities/{id}/ring", { params: { path: { id } } }, { gcTime: 0, staleTime: Infinity });
  return <Answer of={ring} lines={8}>{(ring) => <Choice ring={ring} id={id} close={close} />}</Answer>;
}

function Choice({ ring, id, close }: { ring: Ring; id: string; close: () => void }) {
  const { manage } = useMay();
  const [chosen, choose] = useState(() => new Set(ring.keys.filter((key) => key.hitsNobodyElse && !key.isBanned).map(keyOf)));
  const [comment, say] = useState("");
  const [endsAt, end] = useState("");
  const [withRule, wantRule] = useState(true);
  const keys = ring.keys.filter((key) => chosen.has(keyOf(key)));
  // Also of what was banned before.
  const lists = ring.lists.filter(({ type }) => ring.keys.some((key) => key.type === type && (key.isBanned || chosen.has(keyOf(key)))));
  const unasked = lists.filter(({ rules }) => rules.length === 0);
  const makesRule = manage && withRule && unasked.length > 0;
  const rule = useMutation({
    mutationFn: () => createRule(unasked),
    onError: tellError,
    onSuccess: async (name) => {
      close();
      tell(`The badge rule ${name} uses the lists.`);
      await refresh("/api/identities", "/api/badge-rules", "/api/audit-log");
    },
  });
  const ban = $api.useMutation("post", "/api/identities/{id}/actions/ban-ring", {
    onError: () => {},
    onSuccess: async ({ auditId, lists: done }) => {
      close();
      const name = makesRule ? await createRule(unasked).catch(tellError) : undefined;
      const rule = name ? ` The badge rule ${name} uses the lists.` : unasked.length > 0 ? " That changes nothing until a rule uses the lists." : "";
      offer(`${bannedWords(done)}${rule}`, "Undo", async () => {
        tell(undoneWords(await undo(auditId)) + (name ? ` The badge rule ${name} stays.` : ""));
        await refreshUndone();
      });
      await refresh("/api/identities", "/api/lists", "/api/badge-rules", "/api/audit-log");
    },
  });
  const submit = () => {
    const body = { keys: keys.map(({ type, value }) => ({ type, value })), comment: comment.trim() || null, endsAt: toUtc(endsAt) ?? null };
    ban.mutate({ params: { path: { id } }, body });
  };
  const refused = asApiError(ban.error)?.details.find(({ field }) => field === "endsAt")?.message;
  const change = (some: Key[], isWanted: boolean) => {
    const next = new Set(chosen);
    for (const key of some.map(keyOf)) isWanted ? next.add(key) : next.delete(key);
    choose(next);
  };
  return (
    <Stack>
      <Members ring={ring} />
      {unasked.length > 0 && (
        <Alert variant="light" color="yellow" p="xs" title={`No enabled rule uses ${unasked.map(({ name }) => name).join(", ")}`}>
          <Text fz="sm">The ban changes nothing until one does.{manage ? "" : " Ask an admin to create a badge rule."}</Text>
          {manage && <Checkbox mt="xs" label="Create a badge rule “Banned” that gives a bad badge to identities on them" checked={withRule} onChange={(event) => wantRule(event.currentTarget.checked)} />}
        </Alert>
      )}
      {ring.lists.map(({ type }) => <OfType key={type} type={type} keys={ring.keys.filter((key) => key.type === type)} chosen={chosen} choose={change} />)}
      {!ring.keysAreWhole && <Text fz="sm" c="dimmed">Of each type, the 50 values that most of the ring have are shown.</Text>}
      <Group align="flex-start" gap="sm">
        <TextInput label="Comment" description="Shown beside each value on the lists" maxLength={500} flex={2} miw={220} value={comment} onChange={(event) => say(event.currentTarget.value)} />
        <TextInput label="Ends" description="Empty: never" error={refused && sentence(refused)} type="datetime-local" flex={1} miw={180} value={endsAt} onChange={(event) => end(event.currentTarget.value)} />
      </Group>
      <Effect keys={keys} />
      {ban.error && !refused && <Failure error={ban.error} />}
      <Group justify="flex-end" gap="xs" className="buttons">
        <Button variant="default" onClick={close}>Cancel</Button>
        {keys.length === 0 && makesRule
          ? <Button loading={rule.isPending} onClick={() => rule.mutate()}>Create the rule</Button>
          : <Button color="red" disabled={keys.length === 0} loading={ban.isPending} onClick={submit}>Ban {counted(keys.length, "value")}</Button>}
      </Group>
    </Stack>
  );
}

function Members({ ring: { members, isWhole } }: { ring: Ring }) {
  const good = members.filter(isGood).length;
  return (
    <details>
      <summary className={classes.summary}>
        {isWhole ? "" : "The nearest "}{counted(members.length, "identity", "identities")} in the ring{isWhole ? "" : "; there are more"}
        {good > 0 && `; ${good.toLocaleString("en")} labeled good and left out`}
      </summary>
      <ul className={classes.members}>
        {members.map(({ id, displayName, ...member }) => <li key={id}><IdentityLink id={id} name={displayName} />{isGood(member) && ", labeled good"}</li>)}
      </ul>
    </details>
  );
}

interface OfTypeProps { type: string; keys: Key[]; chosen: Set<string>; choose: (keys: Key[], isWanted: boolean) => void }

function OfType({ type, keys, chosen, choose }: OfTypeProps) {
  if (keys.length === 0) return null;
  const free = keys.filter(({ heldBack }) => !heldBack);
  const held = keys.filter(({ heldBack }) => heldBack);
  const count = free.filter((key) => chosen.has(keyOf(key))).length;
  return (
    <fieldset className={classes.type}>
      <legend>
        {free.length > 1
          ? <Checkbox label={typeWords(type)} checked={count === free.length} indeterminate={count > 0 && count < free.length} onChange={() => choose(free, count < free.length)} />
          : typeWords(type)}
      </legend>
      {free.map((key) => (
        <Checkbox
          key={key.value} label={<span className="mono break">{key.value}</span>}
          description={<span data-hits={mayHitOthers(key) || undefined}>{holders(key)}{key.isBanned ? " Banned already." : ""}</span>}
          checked={chosen.has(keyOf(key))} onChange={(event) => choose([key], event.currentTarget.checked)}
        />
      ))}
      {held.map(({ value, heldBack, ...key }) => (
        <div key={value} className={classes.held}>
          <span className="mono break">{value}</span>
          <Text fz="xs" c="dimmed">Cannot be banned: {heldBack} {key.type !== "IDENTITY" && holders({ value, ...key })}</Text>
        </div>
      ))}
    </fieldset>
  );
}

/** Whom the chosen values hit. */
function Effect({ keys }: { keys: Key[] }) {
  const others = keys.filter(mayHitOthers);
  if (keys.length === 0) return <Text fz="sm" role="status">Nothing is chosen.</Text>;
  if (others.length === 0) return <Text fz="sm" role="status">As far as is known, it hits nobody outside the ring now. Whoever has one of the values later is banned as well.</Text>;
  return (
    <Alert variant="light" color="red" p="xs" role="status" title={`${counted(others.length, "chosen value")} may hit others`}>
      <Text fz="sm">Identities outside the ring have {others.length === 1 ? "it" : "them"}, or may have. They are banned as well.</Text>
    </Alert>
  );
}

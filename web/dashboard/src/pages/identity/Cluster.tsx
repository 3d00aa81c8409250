// The identities that strong links hold together, drawn; what one points at or picks is told in words below.

import { Button, Group, Skeleton, Text } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { Badges, ScoreChip } from "../../parts/Chip";
import { counted } from "../../parts/counts";
import { Panel } from "../../parts/Page";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { CATEGORIES, scoreOf } from "../../parts/score";
import { BanRing } from "../rings/BanRing";
import classes from "./Identity.module.css";
import { Kind } from "./Links";
import { BANDS, keyOf, nameOf } from "./links";

type ClusterBody = Schemas["ClusterBody"];
/** A member by its id, or a link by its key. */
export type Target = { member: string } | { link: string };

/** The graph comes when it is looked at, and not with the page. */
const LinkGraph = lazy(() => import("./LinkGraph"));
const HAS_WEBGL = !!document.createElement("canvas").getContext("webgl2");

export function Cluster({ id }: { id: string }) {
  const cluster = $api.useQuery("get", "/api/identities/{id}/cluster", { params: { path: { id } } });
  return <Answer of={cluster} lines={8}>{(found) => found.links.length > 0 && <Drawn cluster={found} id={id} />}</Answer>;
}

function Drawn({ cluster, id }: { cluster: ClusterBody; id: string }) {
  const [pointed, setPointed] = useState<Target>();
  const [picked, setPicked] = useState<Target>();
  const [canDraw, setCanDraw] = useState(HAS_WEBGL);
  const types = [...new Set(cluster.links.map(({ type }) => type))];
  const note = `${cluster.isWhole ? "The" : "The nearest"} ${counted(cluster.members.length, "identity", "identities")} connected by strong links.`;
  if (!canDraw) return <Panel title="Cluster" note={note} actions={<BanRing id={id} />}><Text fz="sm">This browser has no WebGL 2 to draw it with. The list below says what this identity is linked to.</Text></Panel>;
  return (
    <Panel title="Cluster" note={note} actions={<BanRing id={id} />}>
      <Suspense fallback={<Skeleton height="26rem" />}>
        <LinkGraph cluster={cluster} center={id} picked={picked} onPoint={setPointed} onPick={setPicked} onFailure={() => setCanDraw(false)} />
      </Suspense>
      <Legend types={types} />
      <div role="status"><Told pick={pointed ?? picked} cluster={cluster} /></div>
    </Panel>
  );
}

function Legend({ types }: { types: string[] }) {
  return (
    <ul className={classes.legend} aria-label="Colors">
      {BANDS.map((words, band) => (
        <li key={words}><span className={classes.legendNode} style={{ background: `var(--band-${band}-mark)` }} aria-hidden />Worst score {words}</li>
      ))}
      {types.map((type) => <li key={type}><Kind type={type} /></li>)}
    </ul>
  );
}

/** What is pointed at or picked, in words. */
function Told({ pick, cluster }: { pick: Target | undefined; cluster: ClusterBody }) {
  const hint = <Text fz="sm" c="dimmed">Point at an identity or a link for details; click or tap to pin them.</Text>;
  if (!pick) return hint;
  if ("member" in pick) {
    const member = cluster.members.find(({ id }) => id === pick.member);
    return member ? <Member member={member} /> : hint;
  }
  const link = cluster.links.find((one) => keyOf(one) === pick.link);
  return link ? <LinkTold link={link} members={cluster.members} /> : hint;
}

function Member({ member }: { member: Schemas["IdentityBody"] }) {
  return (
    <Group gap="sm">
      <IdentityLink id={member.id} name={nameOf(member)} />
      {member.displayEmail && <Text fz="sm" c="dimmed" className="break">{member.displayEmail}</Text>}
      <Group gap={4} wrap="nowrap">
        {CATEGORIES.map((category) => <ScoreChip key={category} category={category} value={scoreOf(member, category)} />)}
      </Group>
      <Badges badges={member.badges} />
      <PageLink to="/identities/$id" params={{ id: member.id }} search={{ tab: "links" } as never}>
        <Button component="span" size="compact-xs" variant="default">Its links</Button>
      </PageLink>
    </Group>
  );
}

function LinkTold({ link, members }: { link: Schemas["ClusterLinkBody"]; members: Schemas["IdentityBody"][] }) {
  const name = (id: string) => members.find((member) => member.id === id)?.displayName;
  const { sourceIdentityId: source, targetIdentityId: target, type, value, confidence, explanation } = link;
  return (
    <Group gap="sm">
      <Kind type={type} />
      <span><IdentityLink id={source} name={name(source)} /> and <IdentityLink id={target} name={name(target)} /></span>
      <Text fz="sm" c="dimmed" className="numbers">strength {value.toFixed(2)} · confidence {confidence.toFixed(2)}</Text>
      <Text fz="sm" className="break">{explanation}</Text>
    </Group>
  );
}

// The graph itself: loaded when it is looked at.

import { ActionIcon, useComputedColorScheme } from "@mantine/core";
import { IconFocusCentered, IconMinus, IconPlus } from "@tabler/icons-react";
import { useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import type { Schemas } from "../../api";
import { counted } from "../../parts/counts";
import type { Target } from "./Cluster";
import { draw, layOut, mark, type ClusterGraph, type Listeners } from "./draw";
import classes from "./Identity.module.css";
import { nameOf, nodeColour } from "./links";

type ClusterBody = Schemas["ClusterBody"];

interface Props {
  cluster: ClusterBody;
  center: string;
  picked: Target | undefined;
  onPoint: (pick: Target | undefined) => void;
  onPick: (pick: Target | undefined) => void;
  /** The browser has not what drawing needs. */
  onFailure: () => void;
}

/** All that can be seen of a cluster. Live updates bring it again and again, and it mostly looks the same. */
function looksOf({ members, links }: ClusterBody): string {
  return JSON.stringify([members.map((member) => [member.id, nameOf(member), nodeColour(member)]), links]);
}

/** undefined where WebGL lacks something, which is known only when it is used. */
function drawIn(stage: HTMLElement, graph: ClusterGraph, listeners: Listeners) {
  try {
    return draw(graph, stage, listeners);
  } catch {
    return undefined;
  }
}

export default function LinkGraph({ cluster, center, picked, onPoint, onPick, onFailure }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const [renderer, setRenderer] = useState<ReturnType<typeof draw>>();
  const scheme = useComputedColorScheme();
  const fail = useEffectEvent(onFailure);
  const looks = looksOf(cluster);
  const graph = useMemo(() => layOut(cluster, center), [looks, center]);
  useEffect(() => {
    if (!stage.current) return;
    const drawn = drawIn(stage.current, graph, { onPoint, onPick });
    if (!drawn) {
      fail();
      return;
    }
    setRenderer(drawn);
    const observer = new ResizeObserver(([entry]) => {
      if (entry && entry.contentRect.width !== drawn.getDimensions().width) drawn.resize().scheduleRender();
    });
    observer.observe(stage.current);
    return () => {
      observer.disconnect();
      setRenderer(undefined);
      drawn.kill();
    };
  }, [graph, scheme, onPoint, onPick]);
  useEffect(() => {
    if (renderer) mark(renderer, picked);
  }, [renderer, picked]);
  const camera = renderer?.getCamera();
  const label = `A graph of ${counted(cluster.members.length, "identity", "identities")} and ${counted(cluster.links.length, "link")} between them. The list below says in words what this identity is linked to.`;
  return (
    <div className={classes.graph}>
      <div ref={stage} className={classes.graphStage} role="img" aria-label={label} />
      <div className={classes.graphZoom}>
        <ActionIcon variant="default" aria-label="Zoom in" onClick={() => void camera?.zoomIn()}><IconPlus size={16} /></ActionIcon>
        <ActionIcon variant="default" aria-label="Zoom out" onClick={() => void camera?.zoomOut()}><IconMinus size={16} /></ActionIcon>
        <ActionIcon variant="default" aria-label="Show all" onClick={() => void camera?.reset()}><IconFocusCentered size={16} /></ActionIcon>
      </div>
    </div>
  );
}

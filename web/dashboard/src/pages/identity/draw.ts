// Lays a cluster out and draws it.

import Graph from "graphology";
import forceAtlas2, { inferSettings } from "graphology-layout-forceatlas2";
import Sigma from "sigma";
import { layerPlain, pathCurved, pathLine, pathLoop } from "sigma/rendering";
import type { Schemas } from "../../api";
import type { Target } from "./Cluster";
import { keyOf, linkColour, nameOf, nodeColour } from "./links";

/** After so many steps the places of at most 50 members have settled; taken at once, so that nothing moves. */
const LAYOUT_STEPS = 400;
/** Up to here every member has its name beside it; beyond, as many as have room. */
const NAMED_MAX = 20;
/** Of a longer name only the beginning is beside it. */
const LABEL_MAX_CHARS = 28;

interface Member { x: number; y: number; size: number; label: string; colour: string }
interface Tie { size: number; weight: number; colour: string }
export type ClusterGraph = Graph<Member, Tie>;

/** Where everybody stands; the same cluster is always laid out alike. */
export function layOut({ members, links }: Schemas["ClusterBody"], center: string): ClusterGraph {
  const graph: ClusterGraph = new Graph<Member, Tie>({ type: "undirected", multi: true });
  members.forEach((member, index) => {
    const angle = (index / members.length) * 2 * Math.PI;
    const size = member.id === center ? 16 : 11;
    graph.addNode(member.id, { x: Math.cos(angle), y: Math.sin(angle), size, label: labelOf(member), colour: nodeColour(member) });
  });
  for (const link of links) {
    const weight = link.value * link.confidence;
    graph.addEdgeWithKey(keyOf(link), link.sourceIdentityId, link.targetIdentityId, { size: 1 + 3 * weight, weight, colour: linkColour(link.type) });
  }
  forceAtlas2.assign(graph, { iterations: LAYOUT_STEPS, getEdgeWeight: "weight", settings: { ...inferSettings(graph), strongGravityMode: true } });
  return graph;
}

function labelOf(member: Schemas["IdentityBody"]): string {
  const name = [...nameOf(member)];
  return name.length > LABEL_MAX_CHARS ? `${name.slice(0, LABEL_MAX_CHARS).join("")}…` : name.join("");
}

export interface Listeners {
  onPoint: (pick: Target | undefined) => void;
  onPick: (pick: Target | undefined) => void;
}

/** A renderer of `graph` in `stage`, in the colours that the page has now. */
export function draw(graph: ClusterGraph, stage: HTMLElement, { onPoint, onPick }: Listeners): Sigma<Member, Tie> {
  const colour = resolver(stage);
  const renderer = new Sigma(graph, stage, {
    // The wheel scrolls the page; there are buttons to zoom.
    settings: { enableEdgeEvents: true, allowInvalidContainer: true, gestureTarget: "page", stagePadding: 60, enableCameraRotation: false, itemSizesReference: "screen" },
    primitives: { edges: { paths: [pathLine(), pathCurved(), pathLoop()], layers: [layerPlain()] } },
    styles: {
      nodes: {
        x: { attribute: "x" },
        y: { attribute: "y" },
        size: ({ size }, { isHovered, isHighlighted }) => (isHovered || isHighlighted ? size + 3 : size),
        color: (member) => colour(member.colour),
        label: { attribute: "label" },
        labelColor: colour("var(--mantine-color-text)"),
        labelSize: 13,
        // Names stand above the lines, on ground of their own: a line through a name is read as a stroke of it.
        labelDepth: "topNodes",
        labelBackgroundColor: colour("var(--mantine-color-body)"),
        labelBackgroundPadding: 2,
        labelPosition: "below",
        labelVisibility: graph.order <= NAMED_MAX ? "visible" : "auto",
        cursor: "pointer",
      },
      edges: {
        size: ({ size }, { isHovered, isHighlighted }) => (isHovered || isHighlighted ? size + 3 : size),
        color: (tie) => colour(tie.colour),
        parallelPath: "curved",
        cursor: "pointer",
      },
    },
  });
  renderer.on("enterNode", ({ node }) => onPoint({ member: node }));
  renderer.on("leaveNode", () => onPoint(undefined));
  renderer.on("clickNode", ({ node }) => onPick({ member: node }));
  renderer.on("enterEdge", ({ edge }) => onPoint({ link: edge }));
  renderer.on("leaveEdge", () => onPoint(undefined));
  renderer.on("clickEdge", ({ edge }) => onPick({ link: edge }));
  renderer.on("clickStage", () => onPick(undefined));
  return renderer;
}

/** Marks what is picked, and nothing else. */
export function mark(renderer: Sigma<Member, Tie>, pick: Target | undefined): void {
  const graph = renderer.getGraph();
  const nodes = graph.filterNodes((node) => renderer.getNodeState(node).isHighlighted);
  const edges = graph.filterEdges((edge) => renderer.getEdgeState(edge).isHighlighted);
  // Each change of a state draws everything anew.
  if (nodes.length > 0) renderer.setNodesState(nodes, { isHighlighted: false });
  if (edges.length > 0) renderer.setEdgesState(edges, { isHighlighted: false });
  if (!pick) return;
  if ("member" in pick && graph.hasNode(pick.member)) renderer.setNodeState(pick.member, { isHighlighted: true });
  if ("link" in pick && graph.hasEdge(pick.link)) renderer.setEdgeState(pick.link, { isHighlighted: true });
}

/** What a colour of CSS, a variable too, is here and now: the graph is drawn by a canvas, which knows no variables. */
function resolver(element: HTMLElement): (colour: string) => string {
  const known = new Map<string, string>();
  return (colour) => {
    const found = known.get(colour);
    if (found) return found;
    element.style.color = colour;
    const resolved = getComputedStyle(element).color;
    element.style.color = "";
    known.set(colour, resolved);
    return resolved;
  };
}

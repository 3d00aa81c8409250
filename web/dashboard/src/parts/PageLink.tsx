import { Anchor, type AnchorProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { ComponentPropsWithoutRef } from "react";

type Props = AnchorProps & Omit<ComponentPropsWithoutRef<"a">, keyof AnchorProps>;

/** A link to another page of the dashboard. */
export const PageLink = createLink((props: Props) => <Anchor {...props} />);

/** A link to an identity; `name` is what people call it. */
export function IdentityLink({ id, name }: { id: string; name?: string | null | undefined }) {
  return <PageLink to="/identities/$id" params={{ id }} className="break" fw={500} inherit>{name || id}</PageLink>;
}

import { Anchor, type AnchorProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { ComponentPropsWithoutRef, ReactNode } from "react";
import { visible, visibleId } from "../app/visible";

type Props = AnchorProps & Omit<ComponentPropsWithoutRef<"a">, keyof AnchorProps>;

/** A link to another page of the dashboard. */
export const PageLink = createLink((props: Props) => <Anchor {...props} />);

interface IdentityLinkProps {
  id: string;
  /** What people call it: many may be called the same. */
  name?: string | null | undefined;
  /** Where the id stands beside it anyway. */
  isBare?: boolean;
  /** In lists: the id in a line of its own, so that it stands there whatever the length of the name; `beside` goes with the name. */
  isInList?: boolean;
  beside?: ReactNode;
}

/** A link to an identity, which says who it is. */
export function IdentityLink({ id, name, isBare = false, isInList = false, beside }: IdentityLinkProps) {
  const isNamed = Boolean(name) && name !== id;
  return (
    <>
      <PageLink to="/identities/$id" params={{ id }} className="break" fw={500} inherit><bdi>{isNamed ? visible(name!) : visibleId(id)}</bdi></PageLink>
      {beside && <>{" "}{beside}</>}
      {isNamed && !isBare && <>{" "}<bdi className={isInList ? "below" : "beside"} title={visibleId(id)}>{visibleId(id)}</bdi></>}
    </>
  );
}

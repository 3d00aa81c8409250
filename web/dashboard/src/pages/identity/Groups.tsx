import { Empty } from "../../parts/Answer";
import { GroupsOf } from "../../parts/Lists";

/** The groups an identity is in. */
export function Groups({ id }: { id: string }) {
  const empty = <Empty title="No groups">An identity becomes a member of each group that its events name, such as an organization.</Empty>;
  return <GroupsOf filter={{ identity: id }} empty={empty} />;
}

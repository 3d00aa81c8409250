import { $api, refresh, tell } from "../../api";
import { useMay } from "../../app/session";
import { Confirm } from "../../parts/Confirm";

/** Withdraws a label, for whoever may. */
export function Withdraw({ id }: { id: number }) {
  const { triage } = useMay();
  const withdraw = $api.useMutation("post", "/api/labels/{id}/actions/withdraw", {
    onSuccess: async () => {
      tell("The label is withdrawn.");
      await refresh("/api/identities", "/api/escalations", "/api/labels");
    },
  });
  if (!triage) return null;
  return (
    <Confirm size="compact-xs" action="Withdraw" question="Withdraw this label?" loading={withdraw.isPending} onConfirm={() => withdraw.mutate({ params: { path: { id } } })}>
      It no longer counts, and stays in the list. The label before it counts again, if there is one; else rules decide by the scores alone.
    </Confirm>
  );
}

import { Stack, Text } from "@mantine/core";
import { $api, refresh, tell } from "../../api";
import { useMay } from "../../app/session";
import { Answer } from "../../parts/Answer";
import { ChangePreview } from "../../parts/ChangePreview";
import { Confirm } from "../../parts/Confirm";

/** Withdraws a label, for whoever may; says first what that changes. */
export function Withdraw({ id }: { id: number }) {
  const { triage } = useMay();
  const params = { path: { id } };
  const withdraw = $api.useMutation("post", "/api/labels/{id}/actions/withdraw", {
    onSuccess: async () => {
      tell("The label is withdrawn.");
      await refresh("/api/identities", "/api/escalations", "/api/labels");
    },
  });
  if (!triage) return null;
  return (
    <Confirm size="compact-xs" action="Withdraw" question="Withdraw this label?" dialog={1100} loading={withdraw.isPending} onConfirm={() => withdraw.mutate({ params })}>
      <Stack gap="sm">
        <Text fz="sm">It no longer counts, and stays in the list. The label before it counts again, if there is one; else rules decide by the scores alone.</Text>
        <Preview id={id} />
      </Stack>
    </Confirm>
  );
}

function Preview({ id }: { id: number }) {
  const preview = $api.useQuery("post", "/api/labels/{id}/actions/preview-withdraw", { params: { path: { id } } }, { gcTime: 0, staleTime: Infinity });
  return <Answer of={preview} lines={4}>{(preview) => <ChangePreview preview={preview} />}</Answer>;
}

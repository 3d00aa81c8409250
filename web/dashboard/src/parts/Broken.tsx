import { Button, Stack } from "@mantine/core";
import { Failure } from "./Answer";
import { asApiError } from "../api";

/** Instead of a page that failed. */
export function Broken({ error }: { error: unknown }) {
  const shown = asApiError(error) ?? (error instanceof TypeError || !(error instanceof Error) ? error : { code: "page", message: error.message, details: [] });
  return (
    <Stack p="xl" align="flex-start">
      <Failure error={shown} />
      <Button variant="default" onClick={() => location.reload()}>Load the page again</Button>
    </Stack>
  );
}

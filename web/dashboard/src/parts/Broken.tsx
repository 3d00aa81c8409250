import { Alert, Button, Loader, Stack, Text } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useEffect } from "react";
import { PageNotLoaded } from "../app/lazyPage";
import { isThere, onBack } from "../app/reach";
import { Failure } from "./Answer";

/** Instead of a page that failed. */
export function Broken({ error }: { error: unknown }) {
  if (error instanceof PageNotLoaded) return <NotLoaded />;
  return (
    <Stack p="xl" align="flex-start">
      <Failure error={error} />
      <Button variant="default" onClick={() => location.reload()}>Load the page again</Button>
    </Stack>
  );
}

/** When this page was loaded anew by itself, so that it is not over and over. */
const RELOADED = "dregs.reloaded";
const RELOADS_APART_MS = 30_000;

function reload(): void {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last < RELOADS_APART_MS) return;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
}

/** Its code did not come: the server is away, or has another version by now. */
function NotLoaded() {
  useEffect(() => {
    const stop = onBack(reload);
    void isThere().then((found) => found && reload());
    return () => void stop();
  }, []);
  return (
    <Alert color="red" icon={<IconPlugConnectedX />} title="This page is not loaded yet">
      <Stack gap="sm" align="flex-start">
        <Text fz="sm" role="status"><Loader size={12} mr={6} aria-hidden />Its code comes from the server, which does not answer. The page opens by itself as soon as it does.</Text>
        <Button size="xs" variant="default" onClick={() => location.reload()}>Load the page again</Button>
      </Stack>
    </Alert>
  );
}

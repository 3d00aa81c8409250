// Recovery codes, shown this one time.

import { Alert, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Copy } from "../../parts/Copy";

export function RecoveryCodes({ codes }: { codes: string[] }) {
  return (
    <Alert color="orange" icon={<IconAlertTriangle />} title="Save these codes now: they are not shown again">
      <Stack gap="xs">
        <Text fz="sm">If you lose your authenticator app, enter one in place of its code. Each works once.</Text>
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="md" verticalSpacing={4} component="ul" m={0} p={0} style={{ listStyle: "none" }}>
          {codes.map((code) => <li key={code}><code className="mono" data-secret>{code}</code></li>)}
        </SimpleGrid>
        <div><Copy text={codes.join("\n")} label="codes" isWide /></div>
      </Stack>
    </Alert>
  );
}

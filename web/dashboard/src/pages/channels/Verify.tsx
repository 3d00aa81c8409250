// How an endpoint knows that a request comes from here.

import { SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Secret, Source } from "../../parts/Copy";

const CODE: Record<string, string> = {
  Python: `import hashlib, hmac, os

def is_genuine(body: bytes, signature: str) -> bool:
    """body as it came; signature is the header X-Dregs-Signature."""
    secret = os.environ["DREGS_WEBHOOK_SECRET"].encode()
    expected = hmac.new(secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, signature)`,
  "Node.js": `import { createHmac, timingSafeEqual } from "node:crypto";

/** body as it came, a Buffer; signature is the header X-Dregs-Signature. */
function isGenuine(body, signature) {
  const expected = createHmac("sha256", process.env.DREGS_WEBHOOK_SECRET).update(body).digest();
  const given = Buffer.from(signature, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}`,
  Shell: `# body.json as it came; compare with the header X-Dregs-Signature
openssl dgst -sha256 -hmac "$DREGS_WEBHOOK_SECRET" body.json`,
};

/** A signing secret, this one time, and what to do with it. */
export function SigningSecret({ value }: { value: string }) {
  const [language, setLanguage] = useState("Python");
  return (
    <Stack>
      <Secret value={value} label="signing secret" use="Every request is signed with it. Store it where your endpoint can read it." />
      <Text fz="sm">
        <code className="mono">X-Dregs-Signature</code> is the hexadecimal HMAC-SHA256 of the raw body, keyed with the whole secret. Verify it before you
        read the body, drop what is older than five minutes by its <code className="mono">timestamp</code>, and drop an <code className="mono">id</code> that
        you have seen. Libraries of Standard Webhooks verify these requests as well.
      </Text>
      <SegmentedControl size="xs" data={Object.keys(CODE)} value={language} onChange={setLanguage} aria-label="Language" />
      <Source text={CODE[language] ?? ""} label="code" />
    </Stack>
  );
}

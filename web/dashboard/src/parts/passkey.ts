// What browsers do with passkeys (WebAuthn), in the JSON that the API speaks.

interface Ceremony {
  ceremony: string;
  options: unknown;
}

/** An address of numbers, for which there are none. */
const isNumbers = /^[\d.]+$|:/.test(location.hostname);
/** Whether this browser can make and use passkeys on this page: it needs https and a name, or localhost. */
export const hasPasskeys = !isNumbers && typeof PublicKeyCredential !== "undefined" && "parseCreationOptionsFromJSON" in PublicKeyCredential;

/** Has the browser make a passkey; what the server is to be sent. */
export async function makePasskey({ ceremony, options }: Ceremony): Promise<{ ceremony: string; credential: Record<string, never> }> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON);
  return { ceremony, credential: told(await navigator.credentials.create({ publicKey })) };
}

/** Has the browser sign with a passkey that the person chooses; what the server is to be sent. */
export async function usePasskey({ ceremony, options }: Ceremony): Promise<{ ceremony: string; credential: Record<string, never> }> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON);
  return { ceremony, credential: told(await navigator.credentials.get({ publicKey })) };
}

function told(credential: Credential | null): Record<string, never> {
  if (!(credential instanceof PublicKeyCredential)) throw new Error("the browser has given no passkey");
  return credential.toJSON() as Record<string, never>;
}

/** What to say where the browser has made or used none; nothing where the person has changed their mind. */
export function passkeyFailure(error: unknown): string | undefined {
  if (!(error instanceof DOMException)) return undefined;
  if (error.name === "InvalidStateError") return "This device has a passkey of yours already.";
  return "No passkey was used. It was canceled, took too long, or this device has none.";
}

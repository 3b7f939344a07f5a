/** Asked is what the gateway wants a passkey for, and the token to send back. */
export interface Asked {
  token: string;
  options: unknown;
}

interface Parsers {
  parseCreationOptionsFromJSON?: (options: unknown) => PublicKeyCredentialCreationOptions;
  parseRequestOptionsFromJSON?: (options: unknown) => PublicKeyCredentialRequestOptions;
}

const parsers = (): Parsers => (typeof PublicKeyCredential === "undefined" ? {} : (PublicKeyCredential as unknown as Parsers));

/** passkeysKnown tells whether the browser can do passkeys. */
export function passkeysKnown(): boolean {
  return parsers().parseRequestOptionsFromJSON !== undefined;
}

function publicKeyOf(options: unknown): unknown {
  return (options as { publicKey?: unknown }).publicKey ?? options;
}

function asJSON(credential: Credential | null): unknown {
  if (credential === null) throw new DOMException("no credential", "NotAllowedError");
  return (credential as PublicKeyCredential).toJSON();
}

/** createPasskey makes one on this device. */
export async function createPasskey({ options }: Asked): Promise<unknown> {
  const parse = parsers().parseCreationOptionsFromJSON;
  if (!parse) throw new DOMException("passkeys are not supported", "NotSupportedError");
  return asJSON(await navigator.credentials.create({ publicKey: parse(publicKeyOf(options)) }));
}

/** showPasskey signs with one. */
export async function showPasskey({ options }: Asked): Promise<unknown> {
  const parse = parsers().parseRequestOptionsFromJSON;
  if (!parse) throw new DOMException("passkeys are not supported", "NotSupportedError");
  return asJSON(await navigator.credentials.get({ publicKey: parse(publicKeyOf(options)) }));
}

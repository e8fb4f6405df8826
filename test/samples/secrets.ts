import { createHash, createHmac, createPrivateKey } from "node:crypto";

/**
 * Made-up personal data and credentials for the sample environments: right in shape and checksum, so that
 * redaction finds them, and worthless. Names and numbers come from ranges reserved for examples.
 */

function digest(name: string): Buffer {
  return createHash("sha256").update(`gymline sample ${name}`).digest();
}

/** DER header of an Ed25519 key in PKCS#8 (RFC 8410); the 32 bytes of the key follow. */
const ED25519_HEADER = Buffer.from("302e020100300506032b657004220420", "hex");

/** A real Ed25519 key, derived from a public phrase. */
export function examplePem(name: string): string {
  const der = Buffer.concat([ED25519_HEADER, digest(name)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** A JSON Web Token that verifies under a public phrase. */
export function exampleJwt(claims: Readonly<Record<string, string | number>>): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${body}.${createHmac("sha256", digest("jwt")).update(body).digest("base64url")}`;
}

/** No provider issues keys with this prefix. */
export function exampleApiKey(name: string): string {
  return `sk-test-${digest(name).toString("hex").slice(0, 40)}`;
}

/** The key pair that Amazon prints in its own documentation. */
export const AWS_KEY_ID = "AKIAIOSFODNN7EXAMPLE";
export const AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/** A test number of the card schemes; the checksum holds. */
export const CARD = "4111 1111 1111 1111";
/** The example that the IBAN registry prints for Germany. */
export const IBAN = "DE89 3704 0044 0532 0130 00";
/** Reserved for drama and examples by the British and the North American regulator. */
export const PHONE_UK = "+44 20 7946 0958";
export const PHONE_US = "+1 202 555 0143";

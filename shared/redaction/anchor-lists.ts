/**
 * Places in a text that a detector must look at. The lists are complete: a secret
 * without an anchor is not found, so each detector says which anchor its matches imply.
 */
export interface Anchors {
  /** "@" between word-like characters. */
  readonly at: number[];
  /** "=", ":" or ">" after a name that could be a credential key. */
  readonly assignment: number[];
  /** End of a long option name ("--password") that could be a credential key. */
  readonly option: number[];
  /** "-" of a short option p, u or a. */
  readonly shortOption: number[];
  /** ":" of "://". */
  readonly url: number[];
  /** Last character of a provider's token prefix ("ghp_"). */
  readonly tokenPrefix: number[];
  /** First letter of "Bearer" or "Basic". */
  readonly authScheme: number[];
  /** First letter of "eyJ". */
  readonly jwt: number[];
  /** First dash of "-----BEGIN". */
  readonly pem: number[];
  /** First digit of what could be a private IPv4 address. */
  readonly ipv4: number[];
  /** First character of what could be a private IPv6 address. */
  readonly ipv6: number[];
  /** First digit of a run that could be a phone, card or id number. */
  readonly number: number[];
  /** First letter of what could be an IBAN. */
  readonly iban: number[];
  /** "+" before a digit or "(". */
  readonly plus: number[];
}

/** Empty lists; also what detectors that need no anchors get. */
export const createAnchors = (): Anchors => ({
  at: [],
  assignment: [],
  option: [],
  shortOption: [],
  url: [],
  tokenPrefix: [],
  authScheme: [],
  jwt: [],
  pem: [],
  ipv4: [],
  ipv6: [],
  number: [],
  iban: [],
  plus: [],
});

/**
 * Finds secrets and personal data in text and replaces them with numbered placeholders.
 *
 * Not covered: the content of images and other binary data; names of persons, firms and places;
 * street addresses; secrets that are encoded (base64, hex, compressed) or split over several texts;
 * passwords in prose or after a bare word ("the password is …", netrc), or with keys in languages other
 * than those of `credential-key`; host names outside URLs. By default localhost, 127.0.0.0/8 and ::1 stay, since
 * they name no machine and are common in logs of coding agents (`redactLoopback` changes that).
 */
import { createAnchors } from "./anchor-lists.ts";
import { findAnchors, sawEscape } from "./anchors.ts";
import type { RedactionConfig } from "./config.ts";
import type { Detector, Finding } from "./detector.ts";
import { authHeader } from "./detectors/auth-header.ts";
import { bankCard } from "./detectors/bank-card.ts";
import { credentialAssignment } from "./detectors/credential-assignment.ts";
import { createCustomPattern } from "./detectors/custom-pattern.ts";
import { email } from "./detectors/email.ts";
import { ibanDetector } from "./detectors/iban.ts";
import { createInternalUrl } from "./detectors/internal-url.ts";
import { jwtDetector } from "./detectors/jwt.ts";
import { knownRules } from "./detectors/known-rules.ts";
import { phone } from "./detectors/phone.ts";
import { createPrivateIp } from "./detectors/private-ip.ts";
import { privateKey } from "./detectors/private-key.ts";
import { providerToken } from "./detectors/provider-token.ts";
import { residentId } from "./detectors/resident-id.ts";
import { socialSecurityNumber } from "./detectors/social-security-number.ts";
import { urlCredential } from "./detectors/url-credential.ts";
import { RedactionError } from "./errors.ts";
import { blankEscapes } from "./escapes.ts";
import { excludePlaceholders, mergeFindings } from "./merge-findings.ts";
import { createRedactionSession, type RedactionSession } from "./redaction-session.ts";

export interface Redactor {
  /** Disjoint findings in rising order. Synchronous and linear; throws RedactionError. */
  readonly scan: (text: string) => readonly Finding[];
  /** A numbering of placeholders; use one for each trajectory. */
  readonly session: () => RedactionSession;
}

const none: readonly Finding[] = [];
const noAnchors = createAnchors();

const createAllowTest = (config: RedactionConfig): ((finding: Finding, value: string) => boolean) => {
  const literals = new Set(config.allow.filter((entry) => typeof entry === "string"));
  const patterns = config.allow
    .filter((entry) => typeof entry !== "string")
    .map(({ regex, flags }) => new RegExp(`^(?:${regex})$`, flags));
  const domains = new Set(config.allowEmailDomains.map((domain) => domain.toLowerCase().replace(/^@/, "")));
  return (finding, value) =>
    literals.has(value) ||
    patterns.some((pattern) => pattern.test(value)) ||
    (finding.type === "EMAIL" && domains.has(value.slice(value.lastIndexOf("@") + 1).toLowerCase()));
};

const builtIn = (config: RedactionConfig): readonly Detector[] => {
  const options = { loopback: config.redactLoopback };
  const all: readonly Detector[] = [
    providerToken,
    knownRules,
    privateKey,
    jwtDetector,
    authHeader,
    urlCredential,
    credentialAssignment,
    email,
    phone,
    bankCard,
    ibanDetector,
    residentId,
    socialSecurityNumber,
    createPrivateIp(options),
    createInternalUrl(options),
  ];
  const disabled: ReadonlySet<string> = new Set(config.disabled);
  return all.filter(({ name }) => !disabled.has(name));
};

/** Builds a redactor; `detectors` adds further ones to those of the configuration. */
export const createRedactor = (config: RedactionConfig, detectors: readonly Detector[] = []): Redactor => {
  const anchored = builtIn(config);
  const free = [...config.custom.map(createCustomPattern), ...detectors];
  const all = [...anchored, ...free];
  const allowed = createAllowTest(config);
  const hasAllow = config.allow.length > 0 || config.allowEmailDomains.length > 0;

  /** Returns whether the text may hold an escape. */
  const detect = (text: string, add: (finding: Finding) => void): boolean => {
    const anchors = findAnchors(text);
    const escaped = sawEscape();
    for (const detector of anchors === undefined ? free : all) {
      try {
        detector.detect({ text, anchors: anchors ?? noAnchors, add });
      } catch (cause) {
        throw new RedactionError(detector.name, { cause });
      }
    }
    return escaped;
  };

  const scan = (text: string): readonly Finding[] => {
    if (text.length < 3) return none;
    const found: Finding[] = [];
    const add = (finding: Finding): void => {
      found.push(finding);
    };
    const blanked = detect(text, add) ? blankEscapes(text) : undefined;
    if (blanked !== undefined) detect(blanked, add);
    if (found.length === 0) return none;
    const kept = hasAllow
      ? found.filter((finding) => !allowed(finding, text.slice(finding.start, finding.end)))
      : found;
    return excludePlaceholders(text, mergeFindings(text, kept));
  };

  return { scan, session: () => createRedactionSession(scan) };
};

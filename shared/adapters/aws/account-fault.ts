import { QueueSendError } from "../../ports/queue.ts";
import { serviceFault } from "./service-fault.ts";

/** Why a look into the account failed, as far as people can do something about it. */
export type AccountFaultKind =
  | "credentials"
  | "region"
  | "permission"
  | "unreachable"
  | "unsupported"
  | "other";

export interface AccountFault {
  readonly kind: AccountFaultKind;
  /** What is wrong. */
  readonly reason: string;
  /** What to do. */
  readonly remedy: string;
}

/** AWS was asked for something and did not give it. The message says what to do. */
export class AwsAccessError extends Error {
  override readonly name = "AwsAccessError";
  readonly fault: AccountFault;
  constructor(what: string, fault: AccountFault, cause: unknown) {
    super(`${what}: ${fault.reason}; ${fault.remedy}`, { cause });
    this.fault = fault;
  }
}

/** An error of an AWS client as one that says what to do; any other error as it is. */
export function explained(what: string, error: unknown): unknown {
  const source = error instanceof QueueSendError ? error.cause : error;
  return isForeign(source) ? new AwsAccessError(what, accountFault(source), error) : error;
}

/** Thrown by a client of AWS, or on the way to AWS, and not by this program. */
function isForeign(error: unknown): boolean {
  if (error instanceof AwsAccessError || typeof error !== "object" || error === null) return false;
  const { kind } = accountFault(error);
  return "$metadata" in error || (kind !== "other" && kind !== "permission");
}

/** What an error of an AWS client means to the person at the keyboard. */
export function accountFault(error: unknown): AccountFault {
  if (error instanceof AwsAccessError) return error.fault;
  const { name, status } = serviceFault(error);
  const message = error instanceof Error ? error.message : "";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (name === "CredentialsProviderError" || name === "TokenProviderError") {
    return fault("credentials", "no AWS credentials were found", LOG_IN);
  }
  if (REFUSED.has(name)) {
    return fault("credentials", "the AWS credentials are expired or not known", LOG_IN);
  }
  // The client throws a plain error here.
  if (/region is missing/i.test(message)) {
    return fault("region", "no AWS region is set", "set AWS_REGION, such as AWS_REGION=us-east-1");
  }
  if (DENIED.test(name) || status === 403) {
    return fault("permission", `the credentials may not do this (${name})`, "ask for that permission");
  }
  if (NOT_THERE.has(code) || NOT_THERE.has(name)) {
    return fault(
      "unreachable",
      `the endpoint does not answer (${code || name})`,
      "check AWS_ENDPOINT_URL, AWS_REGION and the network",
    );
  }
  if (UNSUPPORTED.test(name) || status === 501 || status === 405) {
    return fault("unsupported", `the endpoint does not know this request (${name})`, "look on AWS itself");
  }
  return fault("other", `AWS answered ${name}`, "try again; where it stays, see the AWS Health Dashboard");
}

const LOG_IN = "log in (aws sso login, aws configure) and name the profile in AWS_PROFILE";

const REFUSED: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
]);
const DENIED = /^(?:AccessDenied|UnauthorizedOperation|Forbidden|AuthorizationError|AccessDeniedException)/;
const NOT_THERE: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "ETIMEDOUT",
  "TimeoutError",
]);
/** Of an answer that is none of the service at all, the client says that it is unknown. */
const UNSUPPORTED = /^(?:InvalidAction|NotImplemented|UnsupportedOperation|Unknown(?:$|Operation|Service))/;

function fault(kind: AccountFaultKind, reason: string, remedy: string): AccountFault {
  return { kind, reason, remedy };
}

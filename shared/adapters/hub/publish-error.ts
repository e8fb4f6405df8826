import { HubApiError } from "@huggingface/hub";

/** A version could not be published; the message says why and what to do. Nothing of it is visible on the Hub then. */
export class PublishError extends Error {
  override readonly name = "PublishError";
}

interface Attempted {
  readonly repo: string;
  readonly hubUrl: string;
  readonly revision: string;
}

/**
 * What the Hub or the network answered, in words with a remedy. Messages of the Hub are shown in part only, and no address
 * but the Hub's own: those of its storage carry signatures.
 */
export function publishError(cause: unknown, { repo, hubUrl, revision }: Attempted): PublishError {
  if (cause instanceof PublishError) return cause;
  const failed = (why: string): PublishError =>
    new PublishError(`${repo} was not published to ${hubUrl}: ${why}`, { cause });
  if (cause instanceof HubApiError) {
    const said = saidBy(cause);
    const remedy = REMEDIES.get(cause.statusCode) ?? otherRemedy(cause.statusCode);
    return failed(`the Hub answered ${cause.statusCode}${said}; ${remedy.replace("<revision>", revision)}`);
  }
  const network = networkFault(cause);
  if (network !== undefined) {
    const again = "nothing was committed; see to the network (or --hub-url) and publish again";
    return failed(`it cannot be reached (${network}); ${again}`);
  }
  return failed(cause instanceof Error ? cause.message : String(cause));
}

const REMEDIES: ReadonlyMap<number, string> = new Map([
  [400, "look at the card's front matter (dataset.card) and at the name of the repository"],
  [
    401,
    "the token is not valid any more, or not one of this Hub: make one at <hub>/settings/tokens, with the right to write",
  ],
  [403, "the token may not write there: give it the right to write to this repository and its owner"],
  [
    404,
    "there is no such repository or revision <revision> for this token: look at --repo, --revision and the token's owner",
  ],
  [
    409,
    "somebody else changed the repository meanwhile, or it is there already but not to be seen by this token: publish again",
  ],
  [412, "somebody else changed the repository meanwhile: publish again"],
  [413, "a file is larger than the Hub takes: export in shards (--shard-rows)"],
  [429, "too many requests: wait some minutes and publish again, which goes on where it stopped"],
]);

function otherRemedy(status: number): string {
  return status >= 500
    ? "wait a while and publish again, which goes on where it stopped"
    : "look at --repo, --revision and the token";
}

/** Up to so many characters of what the Hub says are shown. */
const SHOWN = 200;

function saidBy({ data }: HubApiError): string {
  const said = data?.["error"] ?? data?.["message"];
  if (typeof said !== "string" || said === "") return "";
  const text = said
    .replace(/hf_\w+/g, "hf_…")
    .replace(/https?:\/\/\S+/g, "…")
    .replace(/[\u0000-\u001f\u007f]+/g, " ")
    .slice(0, SHOWN);
  return ` ("${text}")`;
}

function networkFault(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code !== undefined && /^(?:E[A-Z]{3,}|UND_ERR_\w+|CERT_\w+|DEPTH_\w+|SELF_\w+)$/.test(code))
    return code;
  const below = error.cause === undefined ? undefined : networkFault(error.cause);
  return (
    below ?? (error.message === "fetch failed" || error.name === "SocketError" ? error.message : undefined)
  );
}

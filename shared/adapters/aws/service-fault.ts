/**
 * What an AWS client threw: `status` is that of the HTTP response, if there was one; `attempts` counts the client's
 * own tries.
 */
export interface ServiceFault {
  readonly name: string;
  readonly status: number | undefined;
  readonly attempts: number;
}

export function serviceFault(error: unknown): ServiceFault {
  const name = error instanceof Error ? error.name : "UnknownError";
  const metadata = field(error, "$metadata");
  const status = field(metadata, "httpStatusCode");
  const attempts = field(metadata, "attempts");
  return {
    name,
    status: typeof status === "number" ? status : undefined,
    attempts: typeof attempts === "number" ? attempts : 1,
  };
}

/** The bucket itself is missing: that is a fault of the set-up, never "no such object". */
export function isObjectMissing(error: unknown): boolean {
  const { name, status } = serviceFault(error);
  return name === "NoSuchKey" || (status === 404 && name !== "NoSuchBucket");
}

/** May pass by itself: the service was busy or broken, or the network was. */
export function isTransient(error: unknown): boolean {
  const { name, status } = serviceFault(error);
  if (status !== undefined && (status >= 500 || status === 429)) return true;
  return THROTTLED.has(name) || BROKEN.has(name) || BROKEN.has(String(field(error, "code")));
}

/** The service refused the request because it was busy: nothing was done. */
export function isThrottled(error: unknown): boolean {
  const { name, status } = serviceFault(error);
  return status === 429 || THROTTLED.has(name);
}

const BROKEN: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "RequestTimeout",
  "TimeoutError",
]);

const THROTTLED: ReadonlySet<string> = new Set([
  "RequestLimitExceeded",
  "RequestThrottled",
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "TooManyRequestsException",
]);

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

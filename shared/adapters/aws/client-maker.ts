import { NodeHttpHandler } from "@smithy/node-http-handler";

/** Tries of one request in all; the delay between them doubles and has jitter. */
const ATTEMPTS = 5;
/** Connections of one client: more than a stage ever has under way. */
const SOCKETS = 128;
const CONNECT_MS = 5_000;
/** A function that waited longer would only run into its own time-out. */
const SILENCE_MS = 60_000;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ClientOptions {
  /** A connection that brings nothing for so many milliseconds is given up and the request tried again. */
  readonly silenceMs?: number | undefined;
}

interface Closable {
  destroy(): void;
}

/**
 * Makes the clients of one process, each when it is first asked for. Region and credentials come from where the SDK
 * looks for them; AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_<SERVICE>, sends all requests elsewhere.
 */
export class ClientMaker {
  readonly #environment: Environment;
  readonly #silenceMs: number;
  readonly #made: Promise<Closable>[] = [];

  constructor(environment: Environment, { silenceMs = SILENCE_MS }: ClientOptions) {
    this.#environment = environment;
    this.#silenceMs = silenceMs;
  }

  /** `service` as in the names of the variables, such as `S3`. */
  once<T extends Closable>(
    service: string,
    make: (settings: ReturnType<typeof clientSettings>) => Promise<T>,
  ): () => Promise<T> {
    let client: Promise<T> | undefined;
    return () => {
      if (client === undefined) {
        const environment = this.#environment;
        client = make(clientSettings({ environment, service, silenceMs: this.#silenceMs }));
        this.#made.push(client);
      }
      return client;
    };
  }

  /** Closes the connections of all that were made. */
  async close(): Promise<void> {
    for (const client of await Promise.all(this.#made)) client.destroy();
  }
}

function clientSettings({
  environment,
  service,
  silenceMs,
}: {
  readonly environment: Environment;
  readonly service: string;
  readonly silenceMs: number;
}) {
  // Given to the client and not left to the SDK: an SQS client without it goes to the host of the queue's URL.
  const endpoint = environment[`AWS_ENDPOINT_URL_${service}`] ?? environment["AWS_ENDPOINT_URL"];
  const region = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  const credentials = environment === process.env ? undefined : credentialsOf(environment);
  const agent = { keepAlive: true, maxSockets: SOCKETS };
  return {
    maxAttempts: ATTEMPTS,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_MS,
      socketTimeout: silenceMs,
      httpAgent: agent,
      httpsAgent: agent,
    }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}

/** The SDK itself looks into the environment of the process only. */
function credentialsOf(environment: Environment) {
  const accessKeyId = environment["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = environment["AWS_SECRET_ACCESS_KEY"];
  const sessionToken = environment["AWS_SESSION_TOKEN"];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { BatchSetupError, ClientException } from "./errors.ts";

/** Answers an operation's request, or throws a ClientException. */
export type Operation = (body: unknown) => object;

const MAX_BODY_BYTES = 1024 * 1024;

/** What is wrong with a request before any operation sees it. */
class RefusedRequestError extends Error {
  override readonly name = "RefusedRequestError";
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * Speaks the REST-JSON protocol of AWS Batch on loopback. Signatures are not checked, but a request must bear one
 * and name a local host: a web page in the user's browser can do neither, and must not start programs here.
 * @returns the server, listening, and its URL
 * @throws BatchSetupError where the port is taken
 */
export async function serve(
  operations: ReadonlyMap<string, Operation>,
  port: number,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => void answer(operations, request, response));
  await listening(server, port);
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${bound}`,
    close: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      return promise;
    },
  };
}

async function answer(
  operations: ReadonlyMap<string, Operation>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const operation = operationOf(operations, request);
    reply(response, 200, operation(await bodyOf(request)));
  } catch (error) {
    if (error instanceof ClientException) refuse(response, { status: 400, code: error.name, error });
    else if (error instanceof RefusedRequestError) refuse(response, { ...error, error });
    else refuse(response, { status: 500, code: "ServerException", error });
  }
}

function operationOf(
  operations: ReadonlyMap<string, Operation>,
  { method, url = "", headers }: IncomingMessage,
): Operation {
  const host = (headers.host ?? "").replace(/:\d+$/, "");
  if (!["127.0.0.1", "localhost", "[::1]"].includes(host)) {
    throw new RefusedRequestError(403, "AccessDeniedException", "the runner answers to local names only");
  }
  if (headers.authorization === undefined) {
    throw new RefusedRequestError(
      403,
      "MissingAuthenticationTokenException",
      "the request bears no signature",
    );
  }
  const operation = method === "POST" ? operations.get(url) : undefined;
  if (operation !== undefined) return operation;
  throw new RefusedRequestError(404, "UnknownOperationException", `the local runner has no ${method} ${url}`);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const length = Number(request.headers["content-length"] ?? Number.NaN);
  if (!(length <= MAX_BODY_BYTES)) {
    throw new ClientException(`the request must state its length, ${MAX_BODY_BYTES} bytes at the most`);
  }
  try {
    const body = await text(request);
    return body === "" ? {} : JSON.parse(body);
  } catch (cause) {
    throw new ClientException("the request is no JSON", { cause });
  }
}

function refuse(
  response: ServerResponse,
  { status, code, error }: { readonly status: number; readonly code: string; readonly error: unknown },
): void {
  response.setHeader("x-amzn-errortype", code);
  reply(response, status, { message: error instanceof Error ? error.message : String(error) });
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function listening(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (cause) =>
    reject(new BatchSetupError(`cannot listen on 127.0.0.1:${port}; give another port`, { cause })),
  );
  server.listen(port, "127.0.0.1", resolve);
  return promise;
}

import {
  type BatchGetItemCommandInput,
  type BatchWriteItemCommandInput,
  type DynamoDBClient,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";

/** The process was killed, as far as the client can tell. */
export class KilledError extends Error {
  override readonly name = "KilledError";
}

/** What goes wrong between a real client and the service. */
export type Interference =
  /** Nothing; the names of the commands are noted. */
  | { readonly kind: "watched"; readonly commands: string[] }
  /** All calls from the n-th on (from 1) fail; `late`: the n-th takes effect, and its answer is lost. */
  | { readonly kind: "killed"; readonly from: number; readonly late: boolean; readonly commands: string[] }
  /** Each call is made twice, as a client does that got no answer; only the second answer arrives. */
  | { readonly kind: "repeated" }
  /** Something else happens before a call. */
  | { readonly kind: "preceded"; readonly before: (commandName: string) => Promise<void> }
  /** Transactions are refused as if other writers were at the same items, where `refuses` says so. */
  | { readonly kind: "contended"; readonly refuses: () => boolean }
  /** Batches are done in part, and the rest is given back. */
  | { readonly kind: "short" };

export function interfere(client: DynamoDBClient, interference: Interference): void {
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        switch (interference.kind) {
          case "watched":
            interference.commands.push(commandName);
            return next(args);
          case "killed": {
            interference.commands.push(commandName);
            const calls = interference.commands.length;
            if (calls > interference.from || (calls === interference.from && !interference.late)) {
              throw new KilledError("killed before the call");
            }
            const answer = await next(args);
            if (calls === interference.from) throw new KilledError("killed before the answer came");
            return answer;
          }
          case "repeated":
            await next(args).catch(() => undefined);
            return next(args);
          case "preceded":
            await interference.before(commandName);
            return next(args);
          case "contended":
            if (commandName === "TransactWriteItemsCommand" && interference.refuses()) throw contention();
            return next(args);
          case "short":
            return inPart(commandName, args, next);
        }
      },
    // Before the client repeats anything by itself.
    { step: "initialize" },
  );
}

function contention(): TransactionCanceledException {
  return new TransactionCanceledException({
    message: "Transaction cancelled, please refer cancellation reasons for specific reasons",
    $metadata: {},
    CancellationReasons: [{ Code: "None" }, { Code: "TransactionConflict" }, { Code: "ThrottlingError" }],
  });
}

/** Does the first half of a batch, rounded up. */
async function inPart<Args extends { input: object }, Answer extends { output: object }>(
  commandName: string,
  args: Args,
  next: (args: Args) => Promise<Answer>,
): Promise<Answer> {
  if (commandName === "BatchGetItemCommand") {
    const { RequestItems = {} } = args.input as BatchGetItemCommandInput;
    const [table = "", request] = Object.entries(RequestItems)[0] ?? [];
    const keys = request?.Keys ?? [];
    const half = Math.ceil(keys.length / 2);
    const some = { [table]: { ...request, Keys: keys.slice(0, half) } };
    const answer = await next({ ...args, input: { ...args.input, RequestItems: some } });
    const rest = half < keys.length ? { [table]: { ...request, Keys: keys.slice(half) } } : {};
    return { ...answer, output: { ...answer.output, UnprocessedKeys: rest } };
  }
  if (commandName === "BatchWriteItemCommand") {
    const { RequestItems = {} } = args.input as BatchWriteItemCommandInput;
    const [table = "", requests = []] = Object.entries(RequestItems)[0] ?? [];
    const half = Math.ceil(requests.length / 2);
    const some = { [table]: requests.slice(0, half) };
    const answer = await next({ ...args, input: { ...args.input, RequestItems: some } });
    const rest = half < requests.length ? { [table]: requests.slice(half) } : {};
    return { ...answer, output: { ...answer.output, UnprocessedItems: rest } };
  }
  return next(args);
}

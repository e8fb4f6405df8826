import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactionConflictException,
  TransactionInProgressException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { type Attributes, fromAttributes, type Item, toAttributes } from "./attributes.ts";
import { type ItemKey, keyOf, nameOf } from "./catalog-keys.ts";
import { attempt, backOff, CatalogBusyError, WriteConflict } from "./conflicts.ts";
import type { Crowd } from "./crowd.ts";
import { mergedChanges } from "./merged-changes.ts";
import { serviceFault } from "./service-fault.ts";
import {
  conditionOf,
  type Expression,
  keyAttributes,
  placeholders,
  toTransactItem,
  updateOf,
  type Write,
} from "./writes.ts";

const READ_AT_ONCE = 100;
const WRITTEN_AT_ONCE = 25;
const MOST_ROUNDS = 12;

/** What to read, in the order of the sort key. */
export interface Query {
  /** On an index: reads there lag behind and are not consistent. */
  readonly index?: string;
  readonly condition: Expression;
  readonly filter?: Expression;
  /** Items looked at per request. */
  readonly page?: number;
}

/** Items found by their keys. */
export interface FoundItems {
  of(key: ItemKey): Item | undefined;
}

export interface DynamoTableOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** Reads and transactions of its members are made together. */
  readonly crowd?: Crowd | undefined;
}

/** The catalog's table: consistent reads, conditional writes, and transactions that report conflicts. */
export class DynamoTable {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #read: (keys: readonly ItemKey[]) => Promise<FoundItems>;
  readonly #change: (writes: readonly Write[]) => Promise<void>;

  constructor({ client, table, crowd }: DynamoTableOptions) {
    this.#client = client;
    this.#table = table;
    this.#read = crowd?.gathered((lists) => this.#readTogether(lists)) ?? ((keys) => this.#readAll(keys));
    this.#change =
      crowd?.gathered((lists) => this.#changeTogether(lists)) ?? ((writes) => this.#changeAll(writes));
  }

  async get(key: ItemKey): Promise<Item | undefined> {
    return (await this.#read([key])).of(key);
  }

  async #getOne(key: ItemKey): Promise<Item | undefined> {
    const command = new GetItemCommand({
      TableName: this.#table,
      Key: keyAttributes(key),
      ConsistentRead: true,
    });
    const { Item: item } = await this.#client.send(command);
    return item === undefined ? undefined : fromAttributes(item);
  }

  /** Reads any number of items, each as it is now, though not all at the same moment. */
  async getAll(keys: readonly ItemKey[]): Promise<FoundItems> {
    return this.#read(keys);
  }

  #readTogether(lists: readonly (readonly ItemKey[])[]): readonly Promise<FoundItems>[] {
    const found = this.#readAll(lists.flat());
    return lists.map(() => found);
  }

  async #readAll(keys: readonly ItemKey[]): Promise<FoundItems> {
    const found = new Map<string, Item>();
    const wanted = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
    const [only] = wanted;
    if (only !== undefined && wanted.length === 1) {
      const item = await this.#getOne(only);
      return { of: (key) => (nameOf(key) === nameOf(only) ? item : undefined) };
    }
    for (let start = 0; start < wanted.length; start += READ_AT_ONCE) {
      let rest: Attributes[] = wanted.slice(start, start + READ_AT_ONCE).map(keyAttributes);
      for (let round = 1; rest.length > 0; round += 1) {
        const command = new BatchGetItemCommand({
          RequestItems: { [this.#table]: { Keys: rest, ConsistentRead: true } },
        });
        const { Responses, UnprocessedKeys } = await this.#client.send(command);
        for (const attributes of Responses?.[this.#table] ?? []) {
          const item = fromAttributes(attributes);
          found.set(nameOf(keyOf(item)), item);
        }
        rest = UnprocessedKeys?.[this.#table]?.Keys ?? [];
        await this.#wait(rest.length, round);
      }
    }
    return { of: (key) => found.get(nameOf(key)) };
  }

  /** Pages are read as they are needed. */
  async *query(query: Query): AsyncGenerator<Item> {
    const { condition, filter, index, page } = query;
    const names = { ...condition.names, ...filter?.names };
    const values = { ...condition.values, ...filter?.values };
    let from: Attributes | undefined;
    do {
      const command: QueryCommand = new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: condition.text,
        ...placeholders(names, values),
        ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
        ...(filter === undefined ? {} : { FilterExpression: filter.text }),
        ...(page === undefined ? {} : { Limit: page }),
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      });
      const { Items = [], LastEvaluatedKey } = await this.#client.send(command);
      for (const attributes of Items) yield fromAttributes(attributes);
      from = LastEvaluatedKey;
    } while (from !== undefined);
  }

  /** All items of a partition, or those whose sort key starts with `prefix`; `filter` may leave some out. */
  async *partition(pk: string, prefix = "", filter?: Expression): AsyncGenerator<Item> {
    const whole = { text: "#pk = :pk", names: { "#pk": "pk" }, values: { ":pk": pk } };
    const some = {
      text: "#pk = :pk and begins_with(#sk, :sk)",
      names: { "#pk": "pk", "#sk": "sk" },
      values: { ":pk": pk, ":sk": prefix },
    };
    yield* this.query({
      condition: prefix === "" ? whole : some,
      ...(filter === undefined ? {} : { filter }),
    });
  }

  /** One change by itself. False: its condition does not hold. */
  async write(write: Exclude<Write, { readonly kind: "check" | "count" }>): Promise<boolean> {
    const TableName = this.#table;
    return attempt("a change of one item", async () => {
      try {
        if (write.kind === "put") {
          const item = { TableName, Item: toAttributes(write.item), ...conditionOf(write.when) };
          await this.#client.send(new PutItemCommand(item));
        } else if (write.kind === "update") {
          const update = { TableName, Key: keyAttributes(write.key), ...updateOf(write) };
          await this.#client.send(new UpdateItemCommand(update));
        } else {
          const item = { TableName, Key: keyAttributes(write.key), ...conditionOf(write.when) };
          await this.#client.send(new DeleteItemCommand(item));
        }
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        if (error instanceof TransactionConflictException) throw new WriteConflict(error);
        throw error;
      }
    });
  }

  /**
   * All of the changes (at most 100, each of another item) or none.
   * @throws WriteConflict if a condition does not hold, or another writer was at one of the items
   */
  async transact(writes: readonly Write[]): Promise<void> {
    const [only] = writes;
    if (writes.length === 1 && only !== undefined && only.kind !== "check" && only.kind !== "count") {
      // By itself it costs half.
      if (!(await this.write(only))) throw new WriteConflict(undefined);
      return;
    }
    await this.#change(writes);
  }

  #changeTogether(lists: readonly (readonly Write[])[]): readonly Promise<void>[] {
    const answers = new Map<readonly Write[], Promise<void>>();
    for (const { members, writes } of mergedChanges(lists)) {
      const whole = this.#changeAll(writes);
      for (const own of members) {
        // Whose condition it was that did not hold, or who met another writer, shows when each goes by itself.
        const alone = (error: unknown): Promise<void> =>
          members.length > 1 && isRefused(error) ? this.#changeAll(own) : Promise.reject(error);
        answers.set(own, whole.catch(alone));
      }
    }
    return lists.map((list) => answers.get(list) ?? this.#changeAll(list));
  }

  async #changeAll(writes: readonly Write[]): Promise<void> {
    const TransactItems = writes.map((write) => toTransactItem(write, this.#table));
    try {
      await this.#client.send(new TransactWriteItemsCommand({ TransactItems }));
    } catch (error) {
      throw mayPass(error) ? new WriteConflict(error) : error;
    }
  }

  async removeAll(keys: readonly ItemKey[]): Promise<void> {
    await this.#batchWrite(keys.map((key) => ({ DeleteRequest: { Key: keyAttributes(key) } })));
  }

  /** Writes items whatever is there, not all at once. */
  async putAll(items: readonly (Item & ItemKey)[]): Promise<void> {
    await this.#batchWrite(items.map((item) => ({ PutRequest: { Item: toAttributes(item) } })));
  }

  async #batchWrite(requests: readonly WriteRequest[]): Promise<void> {
    for (let start = 0; start < requests.length; start += WRITTEN_AT_ONCE) {
      let rest = requests.slice(start, start + WRITTEN_AT_ONCE);
      for (let round = 1; rest.length > 0; round += 1) {
        const command = new BatchWriteItemCommand({ RequestItems: { [this.#table]: rest } });
        rest = await this.#client.send(command).then(
          ({ UnprocessedItems }) => UnprocessedItems?.[this.#table] ?? [],
          (error: unknown) => {
            // None of it harms when written twice.
            if (error instanceof TransactionConflictException) return rest;
            throw error;
          },
        );
        await this.#wait(rest.length, round);
      }
    }
  }

  /** What DynamoDB left undone is asked for again later: it is short of capacity. */
  async #wait(left: number, round: number): Promise<void> {
    if (left === 0) return;
    if (round === MOST_ROUNDS) throw new CatalogBusyError(`${left} items of a batch`, undefined);
    await backOff(round);
  }
}

/** Nothing of it was done, for a reason that may lie in a part of it. */
function isRefused(error: unknown): boolean {
  return error instanceof WriteConflict || serviceFault(error).status === 400;
}

const PASSING = new Set([
  "None",
  "ConditionalCheckFailed",
  "TransactionConflict",
  "ThrottlingError",
  "ProvisionedThroughputExceeded",
]);

function mayPass(error: unknown): boolean {
  if (error instanceof TransactionInProgressException) return true;
  if (!(error instanceof TransactionCanceledException)) return false;
  return (error.CancellationReasons ?? []).every(({ Code = "None" }) => PASSING.has(Code));
}

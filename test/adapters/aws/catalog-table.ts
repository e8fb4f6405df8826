import { CreateTableCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { onTestFinished } from "vitest";
import { DynamoCatalog } from "../../../shared/adapters/aws/dynamo-catalog.ts";
import { DynamoLedger } from "../../../shared/adapters/aws/dynamo-ledger.ts";
import { CATALOG_INDEXES, CATALOG_TABLE } from "../../../shared/contracts/catalog-table.ts";
import type { Clock } from "../../../shared/ports/clock.ts";
import type { TestEngine } from "../../local-stack/engine.ts";
import { clockOf } from "../../ports/catalog.contract.ts";
import { type Interference, interfere } from "./interference.ts";

/** An empty table of the catalog, with what opens it. */
export interface CatalogTable {
  /** A catalog of its own, with a client of its own, as a process has it. */
  catalog(options?: { readonly now?: number | Clock; readonly interference?: Interference }): DynamoCatalog;
  ledger(options?: { readonly interference?: Interference }): DynamoLedger;
  /** Keys of all items there are. */
  keys(): Promise<readonly { readonly pk: string; readonly sk: string }[]>;
}

let tables = 0;

export async function freshTable(engine: TestEngine): Promise<CatalogTable> {
  const opened = (interference?: Interference) => {
    const client = new DynamoDBClient(engine.clientConfig);
    onTestFinished(() => client.destroy());
    if (interference !== undefined) interfere(client, interference);
    return client;
  };
  const client = opened();
  tables += 1;
  const table = `catalog-${tables}`;
  await createCatalogTable(client, table);
  return {
    catalog: ({ now = 0, interference } = {}) =>
      new DynamoCatalog({ client: opened(interference), table, clock: clockOf(now) }),
    ledger: ({ interference } = {}) => new DynamoLedger({ client: opened(interference), table }),
    keys: async () => {
      const { Items = [] } = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }));
      return Items.map((item) => ({ pk: item["pk"]?.S ?? "", sk: item["sk"]?.S ?? "" }));
    },
  };
}

/** Creates the table as the stack does. */
async function createCatalogTable(client: DynamoDBClient, name: string): Promise<void> {
  const indexes = Object.values(CATALOG_INDEXES);
  const attributes = new Set([
    CATALOG_TABLE.partitionKey,
    CATALOG_TABLE.sortKey,
    ...indexes.flatMap(({ partitionKey, sortKey }) => [partitionKey, sortKey]),
  ]);
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [...attributes].map((attribute) => ({
        AttributeName: attribute,
        AttributeType: "S",
      })),
      KeySchema: keySchema(CATALOG_TABLE),
      GlobalSecondaryIndexes: indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index),
        Projection: { ProjectionType: index.projection },
      })),
    }),
  );
}

function keySchema(keys: { readonly partitionKey: string; readonly sortKey: string }) {
  return [
    { AttributeName: keys.partitionKey, KeyType: "HASH" as const },
    { AttributeName: keys.sortKey, KeyType: "RANGE" as const },
  ];
}

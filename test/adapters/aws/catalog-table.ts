import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { onTestFinished } from "vitest";
import type { Crowd } from "../../../shared/adapters/aws/crowd.ts";
import { DynamoCatalog } from "../../../shared/adapters/aws/dynamo-catalog.ts";
import { DynamoLedger } from "../../../shared/adapters/aws/dynamo-ledger.ts";
import type { Clock } from "../../../shared/ports/clock.ts";
import { createCatalogTable } from "../../factories/create-catalog-table.ts";
import type { TestEngine } from "../../local-stack/engine.ts";
import { clockOf } from "../../ports/catalog.contract.ts";
import { type Interference, interfere } from "./interference.ts";

/** An empty table of the catalog, with what opens it. */
export interface CatalogTable {
  /** A catalog of its own, with a client of its own, as a process has it. */
  catalog(options?: {
    readonly now?: number | Clock;
    readonly interference?: Interference;
    readonly crowd?: Crowd;
  }): DynamoCatalog;
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
    catalog: ({ now = 0, interference, crowd } = {}) =>
      new DynamoCatalog({ client: opened(interference), table, clock: clockOf(now), crowd }),
    ledger: ({ interference } = {}) => new DynamoLedger({ client: opened(interference), table }),
    keys: async () => {
      const { Items = [] } = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }));
      return Items.map((item) => ({ pk: item["pk"]?.S ?? "", sk: item["sk"]?.S ?? "" }));
    },
  };
}

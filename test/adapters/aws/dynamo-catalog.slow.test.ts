import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { onTestFinished } from "vitest";
import { DynamoCatalog } from "../../../shared/adapters/aws/dynamo-catalog.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { catalogContract, type StartCatalog } from "../../ports/catalog.contract.ts";
import { selectionContract } from "../../ports/catalog-selection.contract.ts";
import { createCatalogTable } from "./catalog-table.ts";

const engine = useEngine("ministack");
let tables = 0;

const start: StartCatalog = async (now) => {
  const client = new DynamoDBClient(engine.clientConfig);
  onTestFinished(() => client.destroy());
  tables += 1;
  const table = `catalog-${tables}`;
  await createCatalogTable(client, table);
  return new DynamoCatalog({ client, table, clock: { now: () => now } });
};
catalogContract("DynamoCatalog", start);
selectionContract("DynamoCatalog", start);

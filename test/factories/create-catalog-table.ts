import { CreateTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CATALOG_INDEXES, CATALOG_TABLE } from "../../shared/contracts/catalog-table.ts";

/** Creates the table as the stack does. */
export async function createCatalogTable(client: DynamoDBClient, name: string): Promise<void> {
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

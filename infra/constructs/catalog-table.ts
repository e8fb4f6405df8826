import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from "aws-cdk-lib/aws-dynamodb";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import { CATALOG_INDEXES, CATALOG_TABLE } from "../../shared/contracts/catalog-table.ts";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { tableName } from "../../shared/contracts/names.ts";

/** The catalog: paid by request, restorable to any second of the last 35 days. */
export function catalogTable(
  scope: Construct,
  { config, key }: { readonly config: DeploymentConfig; readonly key?: IKey | undefined },
): Table {
  const keep = config.onDelete === "retain";
  const table = new Table(scope, "Catalog", {
    tableName: tableName(config.name),
    partitionKey: text(CATALOG_TABLE.partitionKey),
    sortKey: text(CATALOG_TABLE.sortKey),
    timeToLiveAttribute: CATALOG_TABLE.timeToLive,
    billingMode: BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: keep,
    removalPolicy: keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    ...(key === undefined
      ? { encryption: TableEncryption.DEFAULT }
      : { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key }),
  });
  for (const index of Object.values(CATALOG_INDEXES)) {
    table.addGlobalSecondaryIndex({
      indexName: index.name,
      partitionKey: text(index.partitionKey),
      sortKey: text(index.sortKey),
      projectionType: ProjectionType[index.projection],
    });
  }
  return table;
}

function text(name: string) {
  return { name, type: AttributeType.STRING };
}

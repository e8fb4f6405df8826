/** One price of AWS, with the page that states it. */
export interface Price {
  /** US dollars for `per` units. */
  readonly usd: number;
  readonly per: number;
  readonly unit: string;
  /** Title of AWS's page. */
  readonly page: string;
}

/** When the prices were looked up, and for where. Free tiers and volume discounts are left out: real bills are lower. */
export const PRICE_LIST = { date: "2026-11", region: "us-east-1" } as const;

const MILLION = 1_000_000;

const price = (page: string, usd: number, per: number, unit: string): Price => ({ usd, per, unit, page });

export const PRICES = {
  lambdaArm: price("AWS Lambda Pricing", 0.0000133334, 1, "GB-second, arm64"),
  lambdaX86: price("AWS Lambda Pricing", 0.0000166667, 1, "GB-second, x86_64"),
  lambdaRequest: price("AWS Lambda Pricing", 0.2, MILLION, "invocation"),
  sqsRequest: price("Amazon SQS pricing", 0.4, MILLION, "request"),
  dynamoWrite: price("Pricing for On-Demand Capacity (DynamoDB)", 0.625, MILLION, "write request unit"),
  dynamoRead: price("Pricing for On-Demand Capacity (DynamoDB)", 0.125, MILLION, "read request unit"),
  dynamoStorage: price("Pricing for On-Demand Capacity (DynamoDB)", 0.25, 1, "GB-month"),
  dynamoBackup: price("Pricing for On-Demand Capacity (DynamoDB)", 0.2, 1, "GB-month, point in time"),
  s3Put: price("Amazon S3 pricing", 0.005, 1000, "PUT or LIST request"),
  s3Get: price("Amazon S3 pricing", 0.0004, 1000, "GET or HEAD request"),
  s3Storage: price("Amazon S3 pricing", 0.023, 1, "GB-month, Standard"),
  event: price("Amazon EventBridge pricing", 1, MILLION, "event on a bus of one's own"),
  schedule: price("Amazon EventBridge pricing", 1, MILLION, "Scheduler invocation"),
  logIngestion: price("Amazon CloudWatch Pricing", 0.5, 1, "GB of logs written"),
  logStorage: price("Amazon CloudWatch Pricing", 0.03, 1, "GB-month of logs"),
  metric: price("Amazon CloudWatch Pricing", 0.3, 1, "metric and month"),
  alarm: price("Amazon CloudWatch Pricing", 0.1, 1, "alarm and month"),
  dashboard: price("Amazon CloudWatch Pricing", 3, 1, "dashboard and month"),
  trace: price("AWS X-Ray pricing", 5, MILLION, "recorded trace"),
  secret: price("AWS Secrets Manager pricing", 0.4, 1, "secret and month"),
  secretRequest: price("AWS Secrets Manager pricing", 0.05, 10_000, "request"),
  model: price("what the provider of your model bills", 1, 1, "US dollar, as you state it"),
  kmsKey: price("AWS Key Management Service pricing", 1, 1, "key and month"),
  kmsRequest: price("AWS Key Management Service pricing", 0.03, 10_000, "request"),
  cpuHour: price("Amazon EC2 On-Demand Pricing", 0.0504, 1, "vCPU-hour, half an m7i.large"),
  gpuHour: price("Amazon EC2 On-Demand Pricing", 0.8048, 1, "hour of a g6.xlarge"),
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof PRICES;

/** US dollars for so many units. */
export function costOfUnits(name: PriceName, quantity: number): number {
  const { usd, per } = PRICES[name];
  return (quantity * usd) / per;
}

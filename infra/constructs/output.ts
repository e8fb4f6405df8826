import { CfnOutput } from "aws-cdk-lib";
import type { Construct } from "constructs";

/** An output of the stack under exactly this name, wherever in the stack it is made. */
export function output(scope: Construct, name: string, value: string): void {
  new CfnOutput(scope, name, { value }).overrideLogicalId(name);
}

/** `ingest` → `Ingest`, as names of outputs and constructs are written. */
export function title(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

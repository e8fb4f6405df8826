import { Stack, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Accepts a rule of cdk-nag for a construct and all below it. */
export function acceptRule(
  construct: IConstruct,
  rule: { readonly id: string; readonly reason: string },
): void {
  Validations.of(construct).acknowledge(rule);
}

/** Accepts the wildcards among these resources of a statement (rule IAM5), and no others. */
export function acceptWildcards(
  construct: IConstruct,
  { resources, reason }: { readonly resources: readonly string[]; readonly reason: string },
): void {
  for (const resource of resources) {
    const text = flat(Stack.of(construct).resolve(resource));
    if (text.includes("*")) acceptRule(construct, { id: `AwsSolutions-IAM5[Resource::${text}]`, reason });
  }
}

/** A resolved reference as cdk-nag writes it: `<DropBucket.Arn>/*`. */
function flat(value: unknown): string {
  if (typeof value === "string") return value.replace(/\$\{/g, "<").replace(/\}/g, ">");
  if (typeof value !== "object" || value === null) return "";
  if ("Ref" in value) return `<${flat(value.Ref)}>`;
  if ("Fn::GetAtt" in value && Array.isArray(value["Fn::GetAtt"])) {
    return `<${value["Fn::GetAtt"].map(flat).join(".")}>`;
  }
  if ("Fn::Join" in value && Array.isArray(value["Fn::Join"])) {
    const [delimiter, parts] = value["Fn::Join"];
    if (Array.isArray(parts)) return parts.map(flat).join(flat(delimiter));
  }
  return JSON.stringify(value);
}

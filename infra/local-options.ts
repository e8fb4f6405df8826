import { CfnResource, type Stack } from "aws-cdk-lib";
import { z } from "zod";

/** What a deployment to a local engine needs to be told; a deployment to AWS has none of it. */
export const localOptionsSchema = z.strictObject({
  /** Functions run on this machine's own processor. */
  architecture: z.enum(["arm64", "x86_64"]),
  /** Where Batch is asked for jobs. */
  batchEndpoint: z.url().optional(),
  /** More environment variables of all functions. */
  environment: z.record(z.string(), z.string()).default({}),
});
export type LocalOptions = z.infer<typeof localOptionsSchema>;

/** Resource types that a local engine refuses, each with what it says. */
const REFUSED: Readonly<Record<string, string>> = {
  "AWS::Events::Archive": "ministack 1.5.33: Template format error: Unrecognized resource types",
};

/** Takes out of a stack what a local engine cannot make. Nothing else may refer to it. */
export function dropRefused(stack: Stack): void {
  for (const construct of stack.node.findAll()) {
    if (construct instanceof CfnResource && Object.hasOwn(REFUSED, construct.cfnResourceType)) {
      construct.node.scope?.node.tryRemoveChild(construct.node.id);
    }
  }
}

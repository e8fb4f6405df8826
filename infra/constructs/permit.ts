import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { acceptWildcards } from "./accept-rule.ts";

/** One permission: exact actions on exact resources. */
export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Why a wildcard among the resources cannot be narrower. */
  readonly wildcard?: string;
}

/** Gives a role what is listed. The library's own grants give more than is needed. */
export function permit(role: IRole, ...permissions: readonly Permission[]): void {
  for (const { actions, resources, conditions, wildcard } of permissions) {
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: [...actions],
        resources: [...resources],
        ...(conditions === undefined ? {} : { conditions }),
      }),
    );
    if (wildcard !== undefined) acceptWildcards(role, { resources, reason: wildcard });
  }
}

/** What a program does with the deployment's own key: it reads and writes encrypted objects, messages and rows. */
export const KEY_ACTIONS = [
  "kms:Decrypt",
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
] as const;

export function permitKey(role: IRole, key: IKey | undefined): void {
  if (key !== undefined) permit(role, { actions: KEY_ACTIONS, resources: [key.keyArn] });
}

import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { z } from "zod";

/** Environment variables as adapters of models read them. */
export type ModelVariables = Readonly<Record<string, string>>;

/** The secret with the keys of model providers cannot be used. The message names it, and never quotes it. */
export class ModelSecretError extends Error {
  override readonly name = "ModelSecretError";
  constructor(secret: string, reason: string, options?: ErrorOptions) {
    super(
      `the secret ${secret} ${reason}; its value must be a JSON object of names and keys, such as {"ANTHROPIC_API_KEY": "…"} (docs/DEPLOYMENT.md, "The judge")`,
      options,
    );
  }
}

const keysSchema = z.record(z.string(), z.string());

/**
 * Keys of model providers by the variable that an adapter looks for; what was left blank is left out.
 * @param secret name or ARN
 * @throws ModelSecretError
 */
export async function modelVariables(secret: string, client: SecretsManagerClient): Promise<ModelVariables> {
  const { GetSecretValueCommand } = await import("@aws-sdk/client-secrets-manager");
  const { SecretString = "" } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
  const keys = keysSchema.safeParse(parsed(SecretString));
  // No cause: what the parsers say may quote a key.
  if (!keys.success) throw new ModelSecretError(secret, "holds something else than keys");
  return Object.fromEntries(
    Object.entries(keys.data).flatMap(([name, key]) => (key.trim() === "" ? [] : [[name, key.trim()]])),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

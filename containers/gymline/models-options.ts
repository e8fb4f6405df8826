import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { type ModelVersion, modelVersionSchema } from "../../shared/contracts/model.ts";
import type { RegistryPorts, Word } from "../../shared/registry/registry.ts";
import { inStore, type OpenStore, type StoreOption } from "./store-access.ts";
import { out } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export interface ModelsOptions extends StoreOption {
  readonly json?: boolean;
}

export interface WordOptions extends ModelsOptions {
  readonly reason?: string;
  readonly by: string;
}

export const MODEL = "<model>/<version>";

export async function withRegistry(
  options: ModelsOptions,
  mode: "read" | "write",
  work: (ports: RegistryPorts & OpenStore) => Promise<void>,
): Promise<void> {
  await inStore(options, { mode, work: (opened) => work({ ...opened, clock: systemClock }) });
}

export function said(options: ModelsOptions, what: ModelVersion & { readonly done: string }): void {
  if (options.json === true) out(JSON.stringify({ schema: "gymline.model-change.v1", ...what }));
  else out(`${what.name}/${what.version}: ${what.done}`);
}

/** @throws UsageError */
export function modelNamed(text: string): ModelVersion {
  const [name, version, ...rest] = text.split("/");
  const parsed = modelVersionSchema.safeParse({ name, version });
  if (rest.length === 0 && parsed.success) return parsed.data;
  throw new UsageError(`"${text}" names no version of a model: give ${MODEL}, such as agent/2`);
}

/** @throws UsageError */
export function byHand({ reason, by }: WordOptions): Word {
  if (reason === undefined) throw new UsageError("give --reason: why, for those who look at it later");
  return { by, reason };
}

import { builtinEnvs } from "./builtin-envs.ts";
import type { AgentEnv } from "./protocol.ts";
import { type EnvRegistration, EnvRegistry, type EnvSpec, type MakeOptions } from "./registry.ts";

/** The registry of a program that needs only one: it begins with what the package brings. */
export const envs = new EnvRegistry(builtinEnvs());

/** Registers an environment of one's own in `envs`. @throws EnvRegistrationError */
export function registerEnv<Options>(registration: EnvRegistration<Options>): void {
  envs.register(registration);
}

/** @throws UnknownEnvError, EnvOptionsError */
export function makeEnv(id: string, options?: MakeOptions): AgentEnv {
  return envs.make(id, options);
}

export function listEnvs(filter?: { readonly domain?: string }): readonly EnvSpec[] {
  return envs.listEnvs(filter);
}

export function envSpec(id: string): EnvSpec | undefined {
  return envs.envSpec(id);
}

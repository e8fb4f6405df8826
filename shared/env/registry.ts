import { distance } from "fastest-levenshtein";
import type { z } from "zod";
import type { Clock } from "../ports/clock.ts";
import type { Repositories } from "../ports/repositories.ts";
import type { Sandboxes } from "../ports/sandbox.ts";
import type { Timers } from "../ports/timers.ts";
import type { AgentEnv } from "./protocol.ts";
import { type Wrap, wrapEnv } from "./wrappers/env-wrapper.ts";

/** What environments and wrappers need of the world outside; each takes what it needs and says what is missing. */
export interface EnvPorts {
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly sandboxes?: Sandboxes;
  readonly repositories?: Repositories;
}

/** How an environment is made. */
export interface EnvRegistration<Options = unknown> {
  /** `namespace/name-v1` */
  readonly id: string;
  readonly domain: string;
  readonly description: string;
  /** What `make` may be given under `options`; defaults included. */
  readonly options: z.ZodType<Options>;
  create(parts: {
    readonly id: string;
    readonly options: Options;
    readonly ports: EnvPorts;
    /** As `make` was told. */
    readonly episodeMs?: number | undefined;
  }): AgentEnv;
  /** Wrappers that `make` puts around it, from the inside out. */
  wrappers?(ports: EnvPorts): readonly Wrap[];
}

/** What is known of a registered environment. */
export interface EnvSpec {
  readonly id: string;
  /** Without the version. */
  readonly name: string;
  readonly version: number;
  readonly domain: string;
  readonly description: string;
}

export interface MakeOptions {
  readonly ports?: EnvPorts;
  readonly options?: Readonly<Record<string, unknown>>;
  /**
   * The time that whoever steps it means to give an episode: an environment that reserves something for so long, and
   * has no other word for how long, reserves it for this.
   */
  readonly episodeMs?: number | undefined;
  /** In place of the default wrappers; `[]`: none. */
  readonly wrappers?: readonly Wrap[];
}

/** No environment of that id. */
export class UnknownEnvError extends Error {
  override readonly name = "UnknownEnvError";
  readonly id: string;
  constructor(id: string, known: readonly string[]) {
    const near = nearest(id, known);
    const hint =
      near.length === 0 ? `there are ${known.join(", ") || "none"}` : `did you mean ${near.join(" or ")}?`;
    super(`there is no environment "${id}"; ${hint}`);
    this.id = id;
  }
}

/** An id that is no id, or is taken. */
export class EnvRegistrationError extends Error {
  override readonly name = "EnvRegistrationError";
}

/** `make` was given options that the environment does not take, or lacks a port. */
export class EnvOptionsError extends Error {
  override readonly name = "EnvOptionsError";
  readonly id: string;
  constructor(id: string, message: string, options?: ErrorOptions) {
    super(`${id}: ${message}`, options);
    this.id = id;
  }
}

interface Entry {
  readonly spec: EnvSpec;
  make(options: MakeOptions): AgentEnv;
}

const ID = /^([a-z0-9][\w.-]*\/[a-z0-9][\w.-]*?)-v([1-9]\d*)$/i;

/** Environments by id. An id without a version is that of the newest one. */
export class EnvRegistry {
  readonly #entries = new Map<string, Entry>();

  constructor(registrations: readonly EnvRegistration[] = []) {
    for (const registration of registrations) this.register(registration);
  }

  /** @throws EnvRegistrationError */
  register<Options>(registration: EnvRegistration<Options>): void {
    const { id, domain, description } = registration;
    const [, name, version] = ID.exec(id) ?? [];
    if (name === undefined) {
      throw new EnvRegistrationError(`"${id}" is no id of an environment: write it as namespace/name-v1`);
    }
    if (this.#entries.has(id)) {
      throw new EnvRegistrationError(`${id} is registered already: give the new one the next version`);
    }
    this.#entries.set(id, {
      spec: { id, name, version: Number(version), domain, description },
      make: ({ ports = {}, options = {}, episodeMs, wrappers }) => {
        const read = registration.options.safeParse(options);
        if (!read.success) {
          const [issue] = read.error.issues;
          const place = ["options", ...(issue?.path ?? [])].map(String).join(".");
          throw new EnvOptionsError(id, `${place}: ${issue?.message ?? "not valid"}`, { cause: read.error });
        }
        const env = registration.create({ id, options: read.data, ports, episodeMs });
        return wrapEnv(env, wrappers ?? registration.wrappers?.(ports) ?? []);
      },
    });
  }

  /** @throws UnknownEnvError, EnvOptionsError */
  make(id: string, options: MakeOptions = {}): AgentEnv {
    const entry = this.#find(id);
    if (entry === undefined) throw new UnknownEnvError(id, [...this.#entries.keys()]);
    return entry.make(options);
  }

  /** Sorted by id; of one domain, if one is named. */
  listEnvs({ domain }: { readonly domain?: string } = {}): readonly EnvSpec[] {
    return [...this.#entries.values()]
      .map(({ spec }) => spec)
      .filter((spec) => domain === undefined || spec.domain === domain)
      .sort((a, b) => (a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1));
  }

  /** undefined where there is none of that id. */
  envSpec(id: string): EnvSpec | undefined {
    return this.#find(id)?.spec;
  }

  #find(id: string): Entry | undefined {
    const exact = this.#entries.get(id);
    if (exact !== undefined) return exact;
    const versions = [...this.#entries.values()].filter(({ spec }) => spec.name === id);
    return versions.sort((a, b) => b.spec.version - a.spec.version)[0];
  }
}

/** The ids that are most like it, as long as they are somewhat like it. */
function nearest(id: string, known: readonly string[]): readonly string[] {
  const bare = (text: string): string => text.toLowerCase().replace(/-v\d+$/, "");
  return known
    .map((each) => ({ each, edits: distance(bare(id), bare(each)) }))
    .filter(({ edits }) => edits <= Math.max(3, id.length / 2))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, 3)
    .map(({ each }) => each);
}

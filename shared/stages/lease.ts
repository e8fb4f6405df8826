import { z } from "zod";
import type { Fence } from "../ports/catalog.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ledger } from "../ports/ledger.ts";
import { readRecord } from "./ledger-record.ts";

const leaseSchema = z.strictObject({
  schema: z.literal("gymline.lease.v1"),
  holder: z.string(),
  /** Milliseconds since the epoch; 0: given back. */
  expiresAt: z.number(),
});

/** The lease was taken over: whoever held it must stop. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
  constructor(key: string) {
    super(`the lease ${key} ran out and was taken over by another process`);
  }
}

export interface LeaseOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Names this run; for people who look. */
  readonly holder: string;
  /** In milliseconds. */
  readonly ttl: number;
}

/**
 * The right to be the only one to do something, until it runs out. Time alone cannot make that safe, since a holder
 * may be slow and clocks differ: what must not happen twice is done under the `fence`, whose version only ever rises
 * (Kleppmann's fencing token).
 */
export class Lease {
  readonly key: string;
  readonly #options: LeaseOptions;
  #version: number;
  #renewedAt: number;

  private constructor(key: string, options: LeaseOptions, version: number) {
    this.key = key;
    this.#options = options;
    this.#version = version;
    this.#renewedAt = options.clock.now();
  }

  /** undefined: somebody else holds it. */
  static async acquire(key: string, options: LeaseOptions): Promise<Lease | undefined> {
    const { ledger, clock } = options;
    const found = await readRecord(ledger, key, leaseSchema);
    if (found !== undefined && found.value.expiresAt > clock.now()) return undefined;
    const expected = found?.version ?? 0;
    const stored = await ledger.put(key, record(options), expected);
    return stored === "stored" ? new Lease(key, options, expected + 1) : undefined;
  }

  /** Renews the lease where a third of its time has passed. @throws LeaseLostError */
  async beat(): Promise<void> {
    if (this.#options.clock.now() - this.#renewedAt >= this.#options.ttl / 3) await this.renew();
  }

  /** @throws LeaseLostError */
  async renew(): Promise<Fence> {
    const now = this.#options.clock.now();
    await this.#put(record(this.#options));
    this.#renewedAt = now;
    return { key: this.key, version: this.#version };
  }

  /** Gives it back; one that was lost already stays with its new holder. */
  async release(): Promise<void> {
    // The record stays: its version must go on rising.
    const value = JSON.stringify({ schema: "gymline.lease.v1", holder: this.#options.holder, expiresAt: 0 });
    await this.#options.ledger.put(this.key, value, this.#version);
  }

  async #put(value: string): Promise<void> {
    if ((await this.#options.ledger.put(this.key, value, this.#version)) === "conflict") {
      throw new LeaseLostError(this.key);
    }
    this.#version += 1;
  }
}

function record({ holder, ttl, clock }: LeaseOptions): string {
  return JSON.stringify({ schema: "gymline.lease.v1", holder, expiresAt: clock.now() + ttl });
}

/** Whether somebody holds the lease at this moment. */
export async function isHeld(
  key: string,
  ports: { readonly ledger: Ledger; readonly clock: Clock },
): Promise<boolean> {
  const found = await readRecord(ports.ledger, key, leaseSchema);
  return found !== undefined && found.value.expiresAt > ports.clock.now();
}

import type { JsonObject } from "../protocol.ts";
import type { ConversationTask } from "./conversation-task.ts";
import type { ConversationCall } from "./criteria.ts";
import type { SimulatedUser } from "./simulated-user.ts";

/** One conversation as it stands. Tools may change `world`; the rest is the environment's own. */
export interface ConversationState {
  readonly world: Record<string, unknown>;
  readonly task: ConversationTask;
  readonly user: SimulatedUser | undefined;
  readonly calls: readonly ConversationCall[];
  readonly said: readonly string[];
  readonly maxTurns: number;
}

/** The same, as the environment itself has it. */
export interface OwnState extends ConversationState {
  readonly calls: ConversationCall[];
  readonly said: string[];
}

/** Sets a value in the world, and makes the objects on the way to it. */
export function setInWorld(world: Record<string, unknown>, keys: readonly string[], value: unknown): void {
  const [key, ...rest] = keys;
  if (key === undefined) return;
  if (rest.length === 0) {
    define(world, key, value);
    return;
  }
  const inner = Object.hasOwn(world, key) ? world[key] : undefined;
  const next = typeof inner === "object" && inner !== null ? inner : {};
  if (next !== inner) define(world, key, next);
  setInWorld(next as Record<string, unknown>, rest, value);
}

/** As a property of its own, whatever its name. */
function define(target: JsonObject, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

import type { Need } from "./container.ts";
import type { ComputeEnvironment, JobQueue } from "./resources.ts";

/** A job that waits for a place, and the queue it waits in. */
export interface Candidate {
  readonly id: string;
  readonly queue: string;
  readonly need: Need;
}

export interface Capacity {
  readonly queues: readonly JobQueue[];
  readonly computeEnvironments: readonly ComputeEnvironment[];
  /** The whole machine. */
  readonly host: Need;
  /** What running jobs take up of each compute environment, by its name. */
  readonly used: ReadonlyMap<string, Need>;
}

export interface Placement {
  readonly id: string;
  readonly computeEnvironment: string;
}

export interface Plan {
  readonly placements: readonly Placement[];
  /** Jobs that no compute environment of their queue could ever hold, as far as they were looked at. */
  readonly misfits: readonly string[];
}

/**
 * Chooses the jobs that start now: queues by priority, jobs within a queue in the order given. A job that must
 * wait for room keeps that room from all jobs behind it, so that small jobs cannot starve a large one.
 */
export function place(candidates: readonly Candidate[], capacity: Capacity): Plan {
  const placements: Placement[] = [];
  const misfits: string[] = [];
  const room = new Room(capacity);
  for (const queue of byPriority(capacity.queues)) {
    for (const candidate of candidates.filter(({ queue: name }) => name === queue.name)) {
      if (room.isReserved(queue)) break;
      const environments = room
        .environmentsOf(queue)
        .filter((each) => room.couldEverHold(each, candidate.need));
      if (environments.length === 0) misfits.push(candidate.id);
      else {
        const chosen = environments.find((each) => room.hasRoom(each, candidate.need));
        if (chosen === undefined) room.reserve(environments, candidate.need);
        else {
          room.take(chosen, candidate.need);
          placements.push({ id: candidate.id, computeEnvironment: chosen.name });
        }
      }
    }
  }
  return { placements, misfits };
}

class Room {
  private readonly capacity: Capacity;
  private readonly used: Map<string, Need>;
  /** Environments whose next free room belongs to a job that waits for it. */
  private readonly reserved = new Set<string>();
  private total: Need;

  constructor(capacity: Capacity) {
    this.capacity = capacity;
    this.used = new Map(capacity.used);
    this.total = [...capacity.used.values()].reduce(sum, NOTHING);
  }

  environmentsOf({ computeEnvironments }: JobQueue): readonly ComputeEnvironment[] {
    return computeEnvironments.flatMap((arn) =>
      this.capacity.computeEnvironments.filter((each) => each.arn === arn && each.state === "ENABLED"),
    );
  }

  /** Whether no job further behind can have any room. */
  isReserved(queue: JobQueue): boolean {
    const environments = this.environmentsOf(queue);
    return environments.length > 0 && environments.every(({ name }) => this.reserved.has(name));
  }

  couldEverHold({ maxVcpus }: ComputeEnvironment, need: Need): boolean {
    const { host } = this.capacity;
    return need.vcpus <= Math.min(maxVcpus, host.vcpus) && need.memory <= host.memory;
  }

  hasRoom({ name, maxVcpus }: ComputeEnvironment, need: Need): boolean {
    const { host } = this.capacity;
    return (
      !this.reserved.has(name) &&
      this.usedBy(name).vcpus + need.vcpus <= maxVcpus &&
      this.total.vcpus + need.vcpus <= host.vcpus &&
      this.total.memory + need.memory <= host.memory
    );
  }

  take({ name }: ComputeEnvironment, need: Need): void {
    this.used.set(name, sum(this.usedBy(name), need));
    this.total = sum(this.total, need);
  }

  /** All environments share the machine, so a job that waits for the machine holds back all of them. */
  reserve(environments: readonly ComputeEnvironment[], { vcpus }: Need): void {
    const waitsForHost = environments.some(
      ({ name, maxVcpus }) => !this.reserved.has(name) && this.usedBy(name).vcpus + vcpus <= maxVcpus,
    );
    const held = waitsForHost ? this.capacity.computeEnvironments : environments;
    for (const { name } of held) this.reserved.add(name);
  }

  private usedBy(name: string): Need {
    return this.used.get(name) ?? NOTHING;
  }
}

const NOTHING: Need = { vcpus: 0, memory: 0 };

export function sum(left: Need, right: Need): Need {
  return { vcpus: left.vcpus + right.vcpus, memory: left.memory + right.memory };
}

function byPriority(queues: readonly JobQueue[]): readonly JobQueue[] {
  return queues
    .filter(({ state }) => state === "ENABLED")
    .toSorted((left, right) => right.priority - left.priority);
}

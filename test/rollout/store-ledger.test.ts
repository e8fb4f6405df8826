import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import type { EpisodeEntry } from "../../shared/collect/episode-entry.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { StoreLedger } from "../../shared/rollout/store-ledger.ts";
import { temporaryFolder } from "../factories/temporary.ts";

function entryOf(id: string, more: Partial<EpisodeEntry> = {}): Omit<EpisodeEntry, "file"> {
  return {
    schema: "gymline.episode.v1",
    run: "r",
    ...{ id, task: id, attempt: 0, seed: 1, kind: "done", success: true, score: null, reward: 1 },
    ...{ turns: 2, steps: 2, stop: "terminated", tokens: null, cost_usd: null, error: null },
    started_at: "2026-01-01T00:00:00.000Z",
    seconds: 1.5,
    ...more,
  };
}

const FAILED = { kind: "failed", success: null, error: { name: "X", message: "y".repeat(5000) } } as const;
const document = (text: string) => ({ bytes: new TextEncoder().encode(text), extension: ".json" });

interface Places {
  readonly store: ObjectStore;
  readonly drop: ObjectStore;
}

function places(): Places {
  const root = temporaryFolder("rollout");
  return { store: new DirectoryStore(join(root, "store")), drop: new DirectoryStore(join(root, "drop")) };
}

function ledgerAt(at: Places, episodes: readonly string[] = ["a", "b"]): StoreLedger {
  return new StoreLedger({ ...at, run: "r", folder: "team/rollouts/r", episodes });
}

async function keysOf(store: ObjectStore): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key);
  return keys;
}

class Killed extends Error {}

/** A store that lets so many calls through; the one after comes to nothing, or takes effect without an answer. */
function mortal<T extends object>(store: T, life: { left: number; readonly late: boolean }): T {
  return new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: readonly unknown[]): unknown => {
        life.left -= 1;
        if (life.left > 0) return member.apply(target, args);
        if (life.left === 0 && life.late && name !== "list") {
          const answer: unknown = member.apply(target, args);
          return Promise.resolve(answer).then(() => {
            throw new Killed();
          });
        }
        throw new Killed();
      };
    },
  });
}

describe("the ledger of a rollout", () => {
  it("drops what is done, keeps entries in the store, and gives them to the next try of the job", async () => {
    const at = places();
    const kept = await ledgerAt(at).keep(entryOf("a"), document('{"a":1}'));
    expect(kept).toEqual({ ...entryOf("a"), file: "team/rollouts/r/a.json" });
    expect(await keysOf(at.drop)).toEqual(["team/rollouts/r/a.json"]);
    expect(await keysOf(at.store)).toEqual(["rollouts/r/episodes/a.json"]);
    expect(await ledgerAt(at).entries()).toEqual(new Map([["a", kept]]));
    expect(await ledgerAt(at, ["b"]).entries()).toEqual(new Map());
  });

  it("keeps no log of what failed, which is not redacted, and of its message the beginning", async () => {
    const at = places();
    const failed = await ledgerAt(at).keep(entryOf("a", FAILED), document("{}"));
    expect(failed.file).toBeNull();
    expect(failed.error?.message).toHaveLength(300);
    expect(await keysOf(at.drop)).toEqual([]);
    const done = await ledgerAt(at).keep(entryOf("a"), document("{}"));
    expect((await ledgerAt(at).entries()).get("a")).toEqual(done);
    expect(await ledgerAt(at).keep(entryOf("a", FAILED), null)).toEqual(done);
  });

  it("takes one log of two jobs that do the same episode at a time, and both tell the same of it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 5 }), async (copies) => {
        const at = places();
        const entries = await Promise.all(
          Array.from({ length: copies }, (_, copy) =>
            ledgerAt(at).keep(entryOf("a", { reward: copy }), document(`{"copy":${copy}}`)),
          ),
        );
        const dropped = JSON.parse(Buffer.from(await at.drop.read("team/rollouts/r/a.json")).toString());
        expect(new Set(entries.map(({ reward }) => reward))).toEqual(new Set([dropped.copy]));
        expect((await ledgerAt(at).entries()).get("a")?.reward).toBe(dropped.copy);
      }),
      { numRuns: 20 },
    );
  });

  it("has each episode dropped once and told as it was dropped, wherever its jobs are killed", async () => {
    const kill = fc.record({ after: fc.integer({ min: 1, max: 14 }), late: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(kill, { maxLength: 5 }), async (kills) => {
        const at = places();
        const written = new Map<string, string>();
        for (const [attempt, { after, late }] of [...kills, { after: 1000, late: false }].entries()) {
          const life = { left: after, late };
          const ledger = ledgerAt({ store: mortal(at.store, life), drop: mortal(at.drop, life) });
          try {
            const before = await ledger.entries();
            for (const id of ["a", "b"].filter((each) => !before.has(each))) {
              await ledger.keep(entryOf(id, { reward: attempt }), document(`{"reward":${attempt}}`));
            }
          } catch (error) {
            if (!(error instanceof Killed)) throw error;
          }
          // What was dropped once is never another log afterwards.
          for (const key of await keysOf(at.drop)) {
            const text = Buffer.from(await at.drop.read(key)).toString();
            expect(text).toBe(written.get(key) ?? text);
            written.set(key, text);
          }
        }
        const entries = await ledgerAt(at).entries();
        expect([...entries.keys()].toSorted()).toEqual(["a", "b"]);
        for (const [id, { reward }] of entries) {
          expect(written.get(`team/rollouts/r/${id}.json`)).toBe(`{"reward":${reward}}`);
        }
        expect(await keysOf(at.store)).toEqual(["a", "b"].map((id) => `rollouts/r/episodes/${id}.json`));
      }),
      { numRuns: 150 },
    );
  });
});

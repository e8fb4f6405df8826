import * as fc from "fast-check";
import { expect, it } from "vitest";
import { SqliteCatalog } from "../../../shared/adapters/local/sqlite-catalog.ts";
import type { Catalog } from "../../../shared/ports/catalog.ts";
import { idOf, makeNew, makeObject, makeScore, makeSession } from "../../factories/catalog-rows.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { all } from "../../ports/catalog.contract.ts";
import { makeDataset } from "../../ports/catalog-datasets.contract.ts";
import { freshTable } from "./catalog-table.ts";

const engine = useEngine("ministack");

/** Names of trajectories are what was done in them; they are of two sessions, or of none. */
const NAMES = ["a", "ab", "abc", "b", "ba", "x", "xy", "-"];
const OBJECTS = ["one/p", "one/q", "two/p"];

const name = fc.constantFrom(...NAMES);
const object = fc.constantFrom(...OBJECTS);
const revision = fc.constantFrom("rev1", "rev2", "rev3");
const generation = fc.constantFrom("g1", "g2");
const reward = fc.option(fc.constantFrom(0, 0.25, 0.5, 1));

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      name,
      object,
      revision,
      generation,
      index: fc.nat({ max: 2 }),
      blobs: fc.subarray(["b1", "b2", "b3"]),
      seen: fc.boolean(),
      scored: fc.boolean(),
      whole: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("report" as const), object }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("score" as const),
      name,
      reward,
      revision: fc.option(revision),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("finish" as const), object, generation }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("forget" as const), name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("prune" as const), name }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("register" as const),
      version: fc.constantFrom("1", "2"),
      names: fc.subarray(NAMES),
    }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function sessionOf(name: string) {
  if (name === "-") return undefined;
  return makeSession(name.startsWith("x") ? "t" : "s", name);
}

/** Does what a stage would do, and gives what it is told. */
async function apply(catalog: Catalog, operation: Operation): Promise<unknown> {
  switch (operation.kind) {
    case "add": {
      const { name, object: key, revision, generation, index, blobs } = operation;
      const session = sessionOf(name);
      const place = { key, project: key.slice(0, 3), index };
      const trajectory = makeNew(name, {
        row: { revision },
        place,
        generation,
        blobs,
        ...(session === undefined ? {} : { session }),
      });
      const seen = await catalog.see(trajectory);
      const { known } = seen;
      if (known === "forgotten") return known;
      const state = makeObject(key, { fingerprint: generation });
      const { finished, ...added } = await catalog.add(trajectory, {
        ...(operation.seen ? { seen } : {}),
        ...(operation.scored ? { score: makeScore({ reward: 0.75 }) } : {}),
        ...(operation.whole ? { finish: state } : {}),
      });
      if (operation.whole && finished !== true) await catalog.finishObject(state);
      return { known, added };
    }
    case "report":
      return catalog.noteReport(operation.object);
    case "score": {
      const { name, reward, revision } = operation;
      return catalog.setScore(
        idOf(name),
        makeScore({ reward }),
        ...(revision === null ? [] : [{ revision }]),
      );
    }
    case "finish":
      return catalog.finishObject(makeObject(operation.object, { fingerprint: operation.generation }));
    case "forget": {
      const { ids, orphanBlobs } = await catalog.forget(idOf(operation.name));
      return { ids: [...ids].sort(), orphanBlobs: [...orphanBlobs].sort() };
    }
    case "prune":
      return catalog.pruneRevisions(idOf(operation.name));
    case "register":
      return catalog.registerDataset(makeDataset(operation.version, operation.names));
  }
}

async function contentsOf(catalog: Catalog): Promise<unknown> {
  const trajectories = [];
  for (const id of NAMES.map(idOf)) {
    trajectories.push({
      entry: await catalog.entry(id),
      places: await catalog.places(id),
      revisions: await catalog.revisions(id),
      datasets: await catalog.datasetsOf(id),
      forgotten: await catalog.forgotten(id),
    });
  }
  const from = [];
  for (const key of OBJECTS) from.push(await catalog.idsFrom(key));
  return {
    trajectories,
    from,
    objects: await all(catalog.objects()),
    selected: await all(catalog.select({ includeSuperseded: true })),
    ofProject: await all(catalog.select({ project: "one" })),
    ofTask: await all(catalog.select({ task: "task", minReward: 0.25 })),
    datasets: await all(catalog.datasets()),
    forgottenIn: [await catalog.forgottenIn("sft", "1"), await catalog.forgottenIn("sft", "2")],
    scored: await catalog.scoredCount(),
    unscored: await catalog.unscored({ before: 8, limit: 5 }),
  };
}

it("DynamoCatalog answers like SqliteCatalog, whatever is done with them", async () => {
  const clock = { now: () => 7 };
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 8, maxLength: 30 }), async (operations) => {
      const table = await freshTable(engine);
      const local = new SqliteCatalog({ path: ":memory:", clock });
      const remote = table.catalog({ now: clock });
      for (const [index, step] of operations.entries()) {
        expect(await apply(remote, step), `step ${index}`).toEqual(await apply(local, step));
      }
      expect(await contentsOf(remote)).toEqual(await contentsOf(local));
      await local.close();
    }),
    { numRuns: 30 },
  );
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LEADERS } from "../../shared/curation/clusters.ts";
import { duplicatesReportSchema } from "../../shared/curation/duplicates-report.ts";
import { jaccard, similarity } from "../../shared/curation/jaccard.ts";
import { lshPlan } from "../../shared/curation/lsh.ts";
import { minhash, PERMUTATIONS } from "../../shared/curation/minhash.ts";
import { compareRank, NearDuplicates, type Ranked } from "../../shared/curation/near-duplicates.ts";
import { type Shingles, shinglesOf } from "../../shared/curation/shingles.ts";
import { traceOf } from "../../shared/curation/trace.ts";
import { type Call, makeRun, makeSteps, phrase, type Run, randomOf } from "./traces.ts";

interface Row extends Ranked {
  readonly run: Run;
}

function makeRow(id: string, run: Run, facts: Partial<Ranked> = {}): Row {
  return { id, reward: 0.5, success: true, redactions: 0, ...facts, run };
}

function reportOf(rows: readonly Row[], threshold?: number) {
  const finder = new NearDuplicates(threshold);
  for (const { run, ...facts } of rows) finder.add(facts, traceOf(makeSteps(run)));
  return duplicatesReportSchema.parse(finder.report());
}

/** Features without anything taken for boilerplate. */
function featuresOf(run: Run): Shingles {
  return shinglesOf(traceOf(makeSteps(run)), () => false);
}

/** The same run with `changes` of its calls replaced by others. */
function changed(run: ReturnType<typeof makeRun>, seed: number, changes: number): Run {
  const random = randomOf(seed);
  const calls = [...run.calls];
  for (let k = 0; k < changes; k += 1) {
    const line = (): string => `${phrase(random)} = ${phrase(random)}`;
    calls[random() % calls.length] = ["bash", { command: `echo ${phrase(random)}` }, `${line()}\n${line()}`];
  }
  return { ...run, calls };
}

const plain = makeRun(1, { steps: 20 });

describe("a trace", () => {
  it("is blind to what changes from run to run: folders, numbers, times, hashes, white space, remarks", () => {
    const run = (root: string, n: number, id: string): Run => ({
      calls: [
        [
          "bash",
          { command: `cd  ${root}/repo/src &&  pytest -q -x --port ${n}`, description: `try ${n}` },
          `passed in 0.${n}s`,
        ],
        [
          "read_file",
          { path: `${root}/repo/src/a.py`, from: n },
          `at 2024-05-0${n} 10:11:1${n} ${id}\n0x7f${n}a`,
        ],
      ],
    });
    const one = traceOf(makeSteps(run("/home/ann/work", 3, "3f2a9c1d77")));
    expect(traceOf(makeSteps(run("/workspace", 8, "99aa01b2c3d4")))).toEqual(one);
  });

  it("keeps numbers of what came back: two sums are two trajectories", () => {
    const sum = (a: number, b: number): Run => ({ calls: [["add", { a, b }, `the sum is ${a + b}`]] });
    const [one, other] = [traceOf(makeSteps(sum(2, 3))), traceOf(makeSteps(sum(20, 22)))];
    expect(other.actions).toEqual(one.actions);
    expect(other.outputs).not.toEqual(one.outputs);
  });

  it("holds neither system prompt nor instructions, but what the user says later", () => {
    const one = traceOf(makeSteps({ ...plain, system: "You are careful.", prompt: "Please mend it." }));
    const other = traceOf(makeSteps(plain));
    expect([one.actions, one.outputs]).toEqual([other.actions, other.outputs]);
    const { steps } = makeSteps({ answer: "Which file?" });
    const more = [...steps, { step_id: 3, source: "user" as const, message: "The second one." }];
    expect(traceOf({ steps }).outputs).toHaveLength(0);
    expect(traceOf({ steps: more }).outputs).toHaveLength(1);
  });

  it("takes time in proportion to its text, whatever is in it", () => {
    const hostile = [
      "a".repeat(1_000_000),
      "0".repeat(1_000_000),
      "a/".repeat(500_000),
      "f0-".repeat(300_000),
    ];
    const started = performance.now();
    for (const text of hostile) traceOf(makeSteps({ calls: [["bash", { command: text }, text]] }));
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("features", () => {
  it("are ascending and without repeats, and repeats of an action make them other ones", () => {
    const loop = (times: number): Run => ({
      calls: Array.from({ length: times }, (): Call => ["bash", { command: "make" }, "error: no rule\nstop"]),
    });
    const [three, fifty] = [featuresOf(loop(3)), featuresOf(loop(50))];
    for (const part of [fifty.actions, fifty.outputs])
      expect([...part]).toEqual([...new Set(part)].sort((a, b) => a - b));
    expect(fifty.actions).toHaveLength(99);
    expect(similarity(three, fifty).value).toBeLessThan(0.1);
  });

  it("of short trajectories are those of one task only", () => {
    const yes = (prompt: string): Shingles => featuresOf({ prompt, answer: "Yes." });
    expect(similarity(yes("Is it late?"), yes("Is it late?")).value).toBe(1);
    expect(similarity(yes("Is it late?"), yes("Is it raining?")).value).toBe(0);
  });
});

const hashes = fc.uniqueArray(fc.nat(40), { maxLength: 30 }).map((list) => Uint32Array.from(list).sort());

describe("similarity", () => {
  it("is the Jaccard index of the sets", () => {
    fc.assert(
      fc.property(hashes, hashes, (a, b) => {
        const union = new Set([...a, ...b]).size;
        expect(jaccard(a, b)).toBe(union === 0 ? null : a.filter((hash) => b.includes(hash)).length / union);
      }),
    );
  });

  it("needs both actions and outputs, so the Jaccard index of all features is never below it", () => {
    fc.assert(
      fc.property(hashes, hashes, hashes, hashes, (a, b, c, d) => {
        const { value } = similarity({ actions: a, outputs: b }, { actions: c, outputs: d });
        const apart = (list: Uint32Array): number[] => [...list].map((hash) => hash + 1_000);
        const all = jaccard(Uint32Array.from([...a, ...apart(b)]), Uint32Array.from([...c, ...apart(d)]));
        expect(all ?? 0).toBeGreaterThanOrEqual(value - 1e-12);
      }),
    );
  });

  it("is estimated by signatures without bias", () => {
    const signature = (features: Shingles): Int32Array => {
      const to = new Int32Array(PERMUTATIONS);
      minhash(features, to);
      return to;
    };
    let deviation = 0;
    const pairs = 300;
    for (let seed = 0; seed < pairs; seed += 1) {
      const random = randomOf(seed);
      const shared = Array.from({ length: 60 }, random);
      const set = (own: number): Shingles => ({
        actions: Uint32Array.from([...shared, ...Array.from({ length: own }, random)]).sort(),
        outputs: new Uint32Array(),
      });
      const [one, other] = [set(20), set(20)];
      const [x, y] = [signature(one), signature(other)];
      const agree = x.filter((value, at) => value === y[at]).length / PERMUTATIONS;
      deviation += agree - (jaccard(one.actions, other.actions) ?? 0);
    }
    // Standard error of the mean: sqrt(0.6 × 0.4 / (128 × 300)) = 0.0025; four of them.
    expect(Math.abs(deviation / pairs)).toBeLessThan(0.01);
  });
});

describe("lshPlan", () => {
  it("finds at least 99 of 100 pairs at the threshold, with as many rows as that allows", () => {
    expect(lshPlan(0.85)).toEqual({ bands: 16, rows: 8, detection: expect.closeTo(0.9938, 4) });
    for (const threshold of [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1]) {
      const { bands, rows, detection } = lshPlan(threshold);
      expect(bands * rows).toBeLessThanOrEqual(PERMUTATIONS);
      expect(detection).toBeGreaterThanOrEqual(0.99);
    }
  });
});

const rank = fc.record({
  reward: fc.constantFrom(null, 0.2, 0.9),
  success: fc.constantFrom(true, false, null),
  redactions: fc.nat(2),
});

/** Families of runs that differ in a few calls. */
const rows = fc
  .array(fc.record({ family: fc.nat(4), seed: fc.nat(5), changes: fc.nat(3), rank }), { maxLength: 30 })
  .map((list) =>
    list.map(({ family, seed, changes, rank: facts }, index) =>
      makeRow(`t${index}`, changed(makeRun(family, { steps: 25, lines: 3 }), seed, changes), facts),
    ),
  );

describe("near-duplicates", () => {
  it("reports pairs only that are as alike as asked for, each trajectory once, the best as representative", () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(0.6, 0.85), (list, threshold) => {
        const report = reportOf(list, threshold);
        const byId = new Map(list.map((row) => [row.id, row]));
        const seen = new Set<string>();
        for (const { representative, members } of report.clusters) {
          const best = byId.get(representative);
          if (best === undefined) throw new Error("an unknown representative");
          for (const { id, similarity: value } of members) {
            const row = byId.get(id);
            if (row === undefined) throw new Error("an unknown member");
            expect(value).toBeGreaterThanOrEqual(threshold);
            expect(value).toBe(similarity(featuresOf(best.run), featuresOf(row.run)).value);
            expect(compareRank(best, row)).toBeLessThan(0);
          }
          for (const id of [representative, ...members.map((member) => member.id)]) {
            expect(seen.has(id)).toBe(false);
            seen.add(id);
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it("does not depend on the order in which trajectories come", () => {
    fc.assert(
      fc.property(rows, fc.nat(), (list, seed) => {
        const random = randomOf(seed);
        const shuffled = list
          .map((row) => ({ row, at: random() }))
          .sort((a, b) => a.at - b.at)
          .map(({ row }) => row);
        expect(reportOf(shuffled)).toEqual(reportOf(list));
      }),
      { numRuns: 15 },
    );
  });

  it("finds at least 95 of 100 planted ones that are at least 0.9 alike", () => {
    const originals = Array.from({ length: 120 }, (_, seed) => makeRun(seed + 100, { steps: 40, lines: 3 }));
    const planted = originals.map((run, seed) => changed(run, seed, 1));
    const list = [
      ...originals.map((run, index) => makeRow(`a${index}`, run, { reward: 0.9 })),
      ...planted.map((run, index) => makeRow(`b${index}`, run)),
    ];
    const found = new Set(reportOf(list).clusters.flatMap(({ members }) => members.map(({ id }) => id)));
    const due = planted.flatMap((run, index) => {
      const original = originals[index];
      if (original === undefined) return [];
      return similarity(featuresOf(original), featuresOf(run)).value >= 0.9 ? [`b${index}`] : [];
    });
    expect(due.length).toBeGreaterThan(90);
    expect(due.filter((id) => found.has(id)).length / due.length).toBeGreaterThanOrEqual(0.95);
    // Nothing else is taken for a copy: runs of other seeds share next to nothing.
    expect([...found].filter((id) => id.startsWith("a"))).toEqual([]);
  });

  it("does not take two runs for duplicates that share boilerplate only", () => {
    const banner = Array.from({ length: 60 }, (_, line) => `Welcome to the sandbox, line ${line}.`).join(
      "\n",
    );
    const setUp: readonly Call[] = Array.from({ length: 30 }, (_, k) => [
      "bash",
      { command: `setup ${phrase(randomOf(k))}` },
      banner,
    ]);
    const list = Array.from({ length: 20 }, (_, seed) => {
      const own = makeRun(seed + 500, { steps: 2, lines: 2 });
      return makeRow(`t${seed}`, { ...own, calls: [...setUp, ...own.calls] });
    });
    const [one, other] = list;
    if (one === undefined || other === undefined) throw new Error("no rows");
    expect(similarity(featuresOf(one.run), featuresOf(other.run)).value).toBeGreaterThan(0.85);
    expect(reportOf(list).clusters).toEqual([]);
    const nothingOwn = Array.from({ length: 6 }, (_, seed) =>
      makeRow(`n${seed}`, { prompt: `Task ${phrase(randomOf(seed))}`, calls: setUp }),
    );
    expect(reportOf([...list, ...nothingOwn])).toMatchObject({ duplicates: 0, featureless: 0 });
    const [first] = nothingOwn;
    if (first === undefined) throw new Error("no rows");
    const again = reportOf([...list, ...nothingOwn, { ...first, id: "again" }]).clusters;
    expect(again).toMatchObject([{ representative: "again", members: [{ id: first.id, similarity: 1 }] }]);
  });

  it("finds copies although most of the set is copies of one trajectory", () => {
    const list = Array.from({ length: 30 }, (_, index) => makeRow(`t${index}`, plain));
    const { clusters } = reportOf(list);
    expect(clusters).toHaveLength(1);
    expect(clusters[0]?.members).toHaveLength(29);
  });

  it("keeps two solutions that read the same files apart", () => {
    const solution = (name: string): Run => ({
      calls: [
        ...plain.calls.slice(0, 3),
        ["edit_file", { path: "src/a.py", new: `return ${name}` }, "edited"],
      ],
    });
    expect(reportOf([makeRow("a", solution("left")), makeRow("b", solution("right"))]).clusters).toEqual([]);
  });

  it("does not make duplicates of the ends of a chain", () => {
    const chainOf = Array.from({ length: 8 }, (_, at) => {
      const own = makeRun(9, { steps: 30 }).calls;
      const others = makeRun(10, { steps: 30 }).calls;
      return makeRow(`t${at}`, { calls: [...others.slice(0, at), ...own.slice(at)] });
    });
    const { clusters } = reportOf(chainOf);
    expect(clusters.length).toBeGreaterThan(1);
    for (const { members } of clusters)
      for (const member of members) expect(member.similarity).toBeGreaterThanOrEqual(0.85);
  });

  it("compares a bounded number of pairs for each trajectory, whether all are copies or none", () => {
    const checkedOf = (count: number, run: (index: number) => Run): number =>
      reportOf(Array.from({ length: count }, (_, index) => makeRow(`t${index}`, run(index)))).checked;
    for (const count of [100, 200, 400]) {
      // Each copy once with a bucket's first, and once with the representative.
      expect(checkedOf(count, () => plain)).toBeLessThanOrEqual(2 * count);
      expect(checkedOf(count, (index) => makeRun(index, { steps: 10, lines: 2 }))).toBeLessThanOrEqual(
        count / 10,
      );
      const families = checkedOf(count, (index) =>
        changed(makeRun(index % 10, { steps: 30, lines: 1 }), index, 2),
      );
      expect(families).toBeLessThanOrEqual(lshPlan(0.85).bands * LEADERS * count);
      expect(families / count).toBeLessThan(40);
    }
  });

  it("compares nothing with what neither did nor saw anything", () => {
    const empty = { prompt: "Do nothing." };
    expect(reportOf([makeRow("a", empty), makeRow("b", empty)])).toMatchObject({
      featureless: 2,
      clusters: [],
    });
  });

  it("refuses a threshold that is no similarity", () => {
    for (const threshold of [0, -1, 1.01, Number.NaN]) {
      expect(() => new NearDuplicates(threshold)).toThrow(RangeError);
    }
  });
});

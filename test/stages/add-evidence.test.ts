import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { SqliteCatalog } from "../../shared/adapters/local/sqlite-catalog.ts";
import { evidenceRecord } from "../../shared/contracts/evidence.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import {
  type EvidenceNote,
  evidenceOf,
  noteEvidence,
  removeEvidence,
} from "../../shared/stages/add-evidence.ts";
import { LedgerBusyError } from "../../shared/stages/ledger-record.ts";
import { idOf } from "../factories/catalog-rows.ts";

const id = idOf("one");

function makeLedger(): Ledger {
  const catalog = new SqliteCatalog({ path: ":memory:", clock: { now: () => 0 } });
  onTestFinished(() => catalog.close());
  return catalog.ledger;
}

/** Before each of the first `times` writes, somebody else changes the record. */
function contested(ledger: Ledger, times: number): Ledger {
  let left = times;
  return {
    get: (key) => ledger.get(key),
    list: (prefix) => ledger.list(prefix),
    remove: (key, expected) => ledger.remove(key, expected),
    put: async (key, value, expected) => {
      if (left > 0) {
        left -= 1;
        await noteEvidence({ id, judge: `other-${left}` }, ledger);
      }
      return ledger.put(key, value, expected);
    },
  };
}

describe("evidence of a trajectory", () => {
  it("is empty before anything is noted", async () => {
    expect(await evidenceOf(id, makeLedger())).toEqual({
      schema: "gymline.evidence.v1",
      judges: [],
      annotators: [],
    });
  });

  it("lists judges and annotators, sorted and once", async () => {
    const ledger = makeLedger();
    for (const annotator of ["zoe", "ann", "zoe"]) await noteEvidence({ id, annotator }, ledger);
    const said = await noteEvidence({ id, judge: "j1" }, ledger);
    expect(said).toEqual({ schema: "gymline.evidence.v1", judges: ["j1"], annotators: ["ann", "zoe"] });
    expect(await evidenceOf(id, ledger)).toEqual(said);
  });

  it("is not written again by a note that stands already", async () => {
    const ledger = makeLedger();
    await noteEvidence({ id, annotator: "ann" }, ledger);
    await noteEvidence({ id, annotator: "ann" }, ledger);
    expect((await ledger.get(evidenceRecord(id)))?.version).toBe(1);
  });

  it("of one trajectory says nothing of another", async () => {
    const ledger = makeLedger();
    await noteEvidence({ id, annotator: "ann" }, ledger);
    expect((await evidenceOf(idOf("two"), ledger)).annotators).toEqual([]);
  });

  it("keeps what two writers note at the same time", async () => {
    const ledger = makeLedger();
    await Promise.all([
      noteEvidence({ id, annotator: "ann" }, ledger),
      noteEvidence({ id, judge: "j1" }, ledger),
    ]);
    const { judges, annotators } = await evidenceOf(id, ledger);
    expect([judges, annotators]).toEqual([["j1"], ["ann"]]);
  });

  it("is noted although others are faster several times, and gives up in the end", async () => {
    const ledger = makeLedger();
    await noteEvidence({ id, annotator: "ann" }, contested(ledger, 5));
    const { judges, annotators } = await evidenceOf(id, ledger);
    expect([judges.length, annotators]).toEqual([5, ["ann"]]);
    await expect(noteEvidence({ id, annotator: "bob" }, contested(ledger, 100))).rejects.toThrow(
      LedgerBusyError,
    );
  });

  it("holds all that any number of writers noted, in whatever order", async () => {
    const name = fc.constantFrom("a", "b", "c", "d", "e");
    const note: fc.Arbitrary<EvidenceNote> = fc.oneof(
      name.map((annotator) => ({ id, annotator })),
      name.map((judge) => ({ id, judge })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(note, { maxLength: 12 }), async (notes) => {
        const ledger = makeLedger();
        await Promise.all(notes.map((each) => noteEvidence(each, ledger)));
        const said = await evidenceOf(id, ledger);
        const named = (key: "judge" | "annotator") =>
          [...new Set(notes.flatMap((each) => (key in each ? [Reflect.get(each, key)] : [])))].sort();
        expect(said.judges).toEqual(named("judge"));
        expect(said.annotators).toEqual(named("annotator"));
      }),
      { numRuns: 50 },
    );
  });

  it("goes with the trajectory", async () => {
    const ledger = makeLedger();
    await noteEvidence({ id, annotator: "ann" }, ledger);
    await removeEvidence(id, ledger);
    await removeEvidence(id, ledger);
    expect(await ledger.get(evidenceRecord(id))).toBeUndefined();
  });
});

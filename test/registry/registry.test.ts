import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { openForWriting } from "../../shared/adapters/local/local-store.ts";
import { promotionPolicySchema } from "../../shared/contracts/promotion-policy.ts";
import { decide } from "../../shared/registry/gate.ts";
import { readLine, wholeLine } from "../../shared/registry/model-line.ts";
import {
  archiveModel,
  challengeOf,
  ModelStateError,
  promoteModel,
  type RegistryPorts,
  readDecision,
  registerModel,
  rejectModel,
  rollBackModel,
  StaleDecisionError,
  showModel,
  UnknownModelError,
} from "../../shared/registry/registry.ts";
import { MemoryLedger, MemoryStore } from "../factories/memory-place.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { episodes } from "./episodes.ts";

const word = { by: "ann", reason: "looks good" };
const facts = (version: string, files = `models/agent/${version}/`) => ({
  name: "agent",
  version,
  files,
  lineage: {
    dataset: { name: "sft", version: "0123456789ab", manifest_sha256: "00" },
    base: "tiny",
    parent: null,
    training: "t1",
    job: null,
    algorithm: "sft",
    trainer_commit: null,
  },
  metrics: { loss: 0.5 },
});
const named = (version: string) => ({ name: "agent", version });

function registry(): RegistryPorts {
  const local = openForWriting(temporaryFolder("registry"));
  onTestFinished(() => local.close());
  let now = Date.UTC(2026, 0, 1);
  return { store: local.store, ledger: local.ledger, clock: { now: () => (now += 1000) } };
}

async function with_(versions: readonly string[]): Promise<RegistryPorts> {
  const ports = registry();
  for (const version of versions) await registerModel(facts(version), ports);
  return ports;
}

describe("the registry", () => {
  it("enters a version once, with its lineage, and refuses other facts under its name", async () => {
    const ports = registry();
    expect(await registerModel(facts("1"), ports)).toBe("registered");
    expect(await registerModel(facts("1"), ports)).toBe("unchanged");
    await expect(registerModel(facts("1", "elsewhere"), ports)).rejects.toThrow(ModelStateError);
    const model = await showModel(named("1"), ports);
    expect(model).toMatchObject({ state: "candidate", facts: { lineage: { dataset: { name: "sft" } } } });
    await expect(showModel(named("2"), ports)).rejects.toThrow(UnknownModelError);
    await expect(registerModel({ ...facts("1"), version: "__proto__" }, ports)).rejects.toThrow();
    await expect(showModel(named("constructor"), ports)).rejects.toThrow(UnknownModelError);
  });

  it("has one champion, and a rollback brings the one before back", async () => {
    const ports = await with_(["1", "2", "3"]);
    for (const version of ["1", "2", "3"]) await promoteModel(named(version), { word, ports });
    expect((await readLine("agent", ports.ledger))?.versions).toMatchObject({
      "1": { state: "archived" },
      "2": { state: "archived" },
      "3": { state: "champion" },
    });
    expect(await rollBackModel("agent", { word, ports })).toEqual({ from: "3", to: "2" });
    expect(await rollBackModel("agent", { word, ports })).toEqual({ from: "2", to: "1" });
    await expect(rollBackModel("agent", { word, ports })).rejects.toThrow(ModelStateError);
    const model = await showModel(named("1"), ports);
    expect(model.changes.map(({ to }) => to)).toEqual(["candidate", "champion", "archived", "champion"]);
  });

  it("of two promotions against one champion lets one through; the other must be evaluated anew", async () => {
    const ports = await with_(["1", "2", "3"]);
    await promoteModel(named("1"), { word, ports });
    const both = await Promise.allSettled(
      ["2", "3"].map((version) => promoteModel(named(version), { word, against: "1", ports })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const refused = both.find((each) => each.status === "rejected");
    expect(refused?.reason).toBeInstanceOf(StaleDecisionError);
    const line = await readLine("agent", ports.ledger);
    expect(Object.values(line?.versions ?? {}).filter(({ state }) => state === "champion")).toHaveLength(1);
  });

  it("keeps the decision with its numbers, and never promotes on one that says no", async () => {
    const ports = await with_(["1", "2"]);
    await promoteModel(named("1"), { word, ports });
    const policy = promotionPolicySchema.parse({});
    const champion = { version: "1", episodes: episodes({ tasks: 40 }, () => ({ success: false })) };
    const judged = (success: boolean) =>
      decide({
        model: "agent",
        candidate: { version: "2", episodes: episodes({ tasks: 40 }, () => ({ success })) },
        champion,
        policy,
        challenge: challengeOf(undefined),
      });
    const no = { by: "gate", reason: "no better", decision: judged(false) };
    await expect(promoteModel(named("2"), { word: no, against: "1", ports })).rejects.toThrow(
      ModelStateError,
    );
    const yes = { by: "gate", reason: "better", decision: judged(true) };
    expect(await promoteModel(named("2"), { word: yes, against: "1", ports })).toBe("promoted");
    expect(await promoteModel(named("2"), { word: yes, against: "1", ports })).toBe("unchanged");
    const { changes } = await showModel(named("2"), ports);
    const key = changes.at(-1)?.decision ?? "";
    expect(await readDecision(key, ports.store)).toEqual(yes.decision);
  });

  it("counts the candidates that a champion has met, for the correction", async () => {
    const ports = await with_(["1", "2", "3"]);
    await promoteModel(named("1"), { word, ports });
    await rejectModel(named("2"), { word, ports });
    expect(await rejectModel(named("2"), { word, ports })).toBe("unchanged");
    expect(challengeOf(await readLine("agent", ports.ledger))).toBe(2);
    await promoteModel(named("3"), { word, ports });
    expect(challengeOf(await readLine("agent", ports.ledger))).toBe(1);
  });

  it("puts away what is no champion", async () => {
    const ports = await with_(["1", "2"]);
    await promoteModel(named("1"), { word, ports });
    await expect(archiveModel(named("1"), { word, ports })).rejects.toThrow(ModelStateError);
    await expect(rejectModel(named("1"), { word, ports })).rejects.toThrow(ModelStateError);
    expect(await archiveModel(named("2"), { word, ports })).toBe("archived");
  });

  it("whatever is done at once, there is at most one champion and the record of before leads to versions", async () => {
    const operation = fc.record({
      kind: fc.constantFrom("promote", "contest", "reject", "rollback", "archive", "register"),
      version: fc.constantFrom("1", "2", "3", "4"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 4 }), { maxLength: 6 }), async (rounds) => {
        const ports = memory();
        for (const round of rounds) {
          await Promise.allSettled(
            round.map(async ({ kind, version }) => {
              const champion = (await readLine("agent", ports.ledger))?.champion ?? null;
              if (kind === "register") await registerModel(facts(version), ports);
              else if (kind === "promote") await promoteModel(named(version), { word, ports });
              else if (kind === "contest")
                await promoteModel(named(version), { word, against: champion, ports });
              else if (kind === "reject") await rejectModel(named(version), { word, ports });
              else if (kind === "archive") await archiveModel(named(version), { word, ports });
              else await rollBackModel("agent", { word, ports });
            }),
          );
          const line = await readLine("agent", ports.ledger);
          if (line === undefined) continue;
          const champions = Object.entries(line.versions).filter(([, { state }]) => state === "champion");
          expect(champions.map(([version]) => version)).toEqual(
            line.champion === null ? [] : [line.champion],
          );
          for (const version of line.before) expect(line.versions).toHaveProperty(version);
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** A fresh ledger and store for each run of a property: those of a folder would be slow. */
function memory(): RegistryPorts {
  return { store: new MemoryStore(), ledger: new MemoryLedger(), clock: { now: () => 0 } };
}

describe("a registry with thousands of versions", () => {
  it("keeps its record within one item of DynamoDB, and forgets none of them", async () => {
    const ledger = new MemoryLedger();
    let now = Date.UTC(2026, 0, 1);
    const ports = { store: new MemoryStore(), ledger, clock: { now: () => (now += 1000) } };
    const said = { by: "gate", reason: "it is not shown that success is better: ".padEnd(300, "x") };
    const decided = async (versions: readonly string[]): Promise<void> => {
      for (const version of versions) {
        await registerModel(facts(version), ports);
        await rejectModel(named(version), { word: said, ports });
      }
    };
    const names = (start: string, count: number): readonly string[] =>
      Array.from({ length: count }, (_, index) =>
        `${start}-${String(index).padStart(4, "0")}`.padEnd(64, "x"),
      );
    for (const version of ["base", "open"]) await registerModel(facts(version), ports);
    await promoteModel(named("base"), { word, ports });
    const early = names("early", 3);
    await decided(early);
    // As many more as there is room for.
    const { value = "", version: seen = 0 } = (await ledger.get("model/agent")) ?? {};
    const line = JSON.parse(value);
    const since = new Date(ports.clock.now()).toISOString();
    for (const version of names("middle", 995)) line.versions[version] = { state: "rejected", since };
    await ledger.put("model/agent", JSON.stringify(line), seen);
    const late = names("late", 20);
    await decided(late);

    const record = (await ledger.get("model/agent"))?.value ?? "";
    expect(Buffer.byteLength(record)).toBeLessThan(400_000);
    const kept = (await readLine("agent", ledger)) ?? expect.fail();
    expect(Object.keys(kept.versions).length).toBeLessThanOrEqual(1000);
    expect([kept.champion, kept.versions["open"]?.state]).toEqual(["base", "candidate"]);
    const whole = await wholeLine(kept, ledger);
    expect(Object.keys(whole.versions)).toHaveLength(2 + 3 + 995 + 20);

    // One that was put away is what it was, and a person may bring it back.
    const old = named(early[0] ?? "");
    expect(kept.versions[old.version]).toBeUndefined();
    expect(await showModel(old, ports)).toMatchObject({ state: "rejected", facts: { version: old.version } });
    expect(await registerModel(facts(old.version), ports)).toBe("unchanged");
    expect(await rejectModel(old, { word, ports })).toBe("unchanged");
    expect(await promoteModel(old, { word, ports })).toBe("promoted");
    expect((await readLine("agent", ledger))?.champion).toBe(old.version);
    expect(await rollBackModel("agent", { word, ports })).toEqual({ from: old.version, to: "base" });
    expect(await showModel(old, ports)).toMatchObject({ state: "archived" });
  });
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { NoStoreError, openForReading, openForWriting } from "../../shared/adapters/local/local-store.ts";
import { StoreBusyError } from "../../shared/adapters/local/run-lock.ts";
import { idOf, makeNew } from "../factories/catalog-rows.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const clock = { now: () => 0 };
const module = new URL("../../shared/adapters/local/local-store.ts", import.meta.url).href;
const HOLDER = `
  const { openForWriting } = await import(${JSON.stringify(module)});
  globalThis.held = openForWriting(process.argv[1]);
  process.stdout.write("held");
  setInterval(() => undefined, 1000);
`;

async function holder(folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", HOLDER, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

describe("the one writer of a store", () => {
  it("keeps out a second one, in this process and in others, and says what to do", async () => {
    const folder = temporaryFolder("lock");
    const child = await holder(folder);
    expect(() => openForWriting(folder, clock)).toThrow(StoreBusyError);
    expect(() => openForWriting(folder, clock)).toThrow(/wait for it to end, or use another folder/);
    child.kill("SIGKILL");
    await once(child, "exit");
    const first = openForWriting(folder, clock);
    expect(() => openForWriting(folder, clock)).toThrow(StoreBusyError);
    await first.close();
    await openForWriting(folder, clock).close();
  });

  it("leaves the store free when it is killed, with what it made durable", async () => {
    const folder = temporaryFolder("lock");
    for (let round = 0; round < 3; round += 1) {
      const child = await holder(folder);
      child.kill("SIGKILL");
      await once(child, "exit");
      const local = openForWriting(folder, clock);
      await local.catalog.add(makeNew(`${round}`));
      await local.close();
    }
    const reader = openForReading(folder, clock);
    for (let round = 0; round < 3; round += 1) {
      expect(await reader.catalog.entry(idOf(`${round}`))).toBeDefined();
    }
    await reader.close();
  });

  it("may be read beside", async () => {
    const folder = temporaryFolder("lock");
    const writer = openForWriting(folder, clock);
    const reader = openForReading(folder, clock);
    await writer.store.put("a/x", new Uint8Array(1));
    expect(await reader.store.exists("a/x")).toBe(true);
    await reader.close();
    await writer.close();
  });

  it("frees the store again when it could not be opened", async () => {
    const folder = temporaryFolder("lock");
    await openForWriting(folder, clock).close();
    writeFileSync(join(folder, "catalog.sqlite"), "no database".repeat(500));
    for (let round = 0; round < 2; round += 1) {
      expect(() => openForWriting(folder, clock)).toThrow(/catalog\.sqlite cannot be opened as a catalog/);
    }
  });

  it("does not take another fault for a busy store", async () => {
    const folder = temporaryFolder("lock");
    writeFileSync(join(folder, ".lock.sqlite"), "no database".repeat(500));
    expect(() => openForWriting(folder, clock)).toThrow(/not a database/);
  });

  it("removes what a killed writer left half written", async () => {
    const folder = temporaryFolder("lock");
    const local = openForWriting(folder, clock);
    const writer = await local.store.writer("a/x");
    await writer.write(new Uint8Array(10));
    expect(existsSync(join(folder, ".tmp"))).toBe(true);
    await local.close();
    const again = openForWriting(folder, clock);
    expect(existsSync(join(folder, ".tmp"))).toBe(false);
    await again.close();
  });

  it("is not needed to find that a folder holds no store", () => {
    expect(() => openForReading(temporaryFolder("lock"), clock)).toThrow(NoStoreError);
  });
});

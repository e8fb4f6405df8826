import { describe, expect, it } from "vitest";
import { z } from "zod";
import lock from "../../package-lock.json" with { type: "json" };

const packagesSchema = z.record(
  z.string(),
  z.object({ optionalDependencies: z.record(z.string(), z.string()).optional() }),
);

describe("package-lock.json", () => {
  it("names every optional package of every platform, without which npm ci refuses it", () => {
    const packages = packagesSchema.parse(lock.packages);
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).filter(
        (name) =>
          !Object.hasOwn(packages, `node_modules/${name}`) &&
          !Object.hasOwn(packages, `${path}/node_modules/${name}`),
      ),
    );
    expect(missing).toEqual([]);
  });
});

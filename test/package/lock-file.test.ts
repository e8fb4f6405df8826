import { describe, expect, it } from "vitest";
import { z } from "zod";
import lock from "../../package-lock.json" with { type: "json" };

const packagesSchema = z.record(
  z.string(),
  z.object({ optionalDependencies: z.record(z.string(), z.string()).optional() }),
);

/** Where Node looks for what the package at `path` needs: beside it and in every folder above. */
function folders(path: string): readonly string[] {
  const parts = path.split(/(?=node_modules\/)/);
  return parts.map((_, index) => parts.slice(0, index).join("")).concat(`${path}/`);
}

describe("package-lock.json", () => {
  it("names every optional package of every platform, without which npm ci refuses it", () => {
    const packages = packagesSchema.parse(lock.packages);
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).filter(
        (name) => !folders(path).some((folder) => Object.hasOwn(packages, `${folder}node_modules/${name}`)),
      ),
    );
    expect(missing).toEqual([]);
  });
});

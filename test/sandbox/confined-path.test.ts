import { posix } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { SandboxError } from "../../shared/ports/sandbox.ts";
import { confinedPath } from "../../shared/sandbox/confined-path.ts";

it("takes paths below the workspace, relative or absolute, and gives them in one form", () => {
  expect(confinedPath("a/b.txt", "/workspace")).toBe("a/b.txt");
  expect(confinedPath("./a//b/../c", "/workspace")).toBe("a/c");
  expect(confinedPath("/workspace/a", "/workspace")).toBe("a");
  expect(confinedPath("../workspace/a", "/workspace")).toBe("a");
  expect(confinedPath("...", "/workspace")).toBe("...");
});

it("refuses what leads out, the workspace itself, and what is no path", () => {
  for (const path of [
    "..",
    "a/../..",
    "/etc/passwd",
    "/workspacex/a",
    "/",
    "",
    ".",
    "/workspace/",
    "a\0b",
    "\ud800",
  ]) {
    expect(() => confinedPath(path, "/workspace"), JSON.stringify(path)).toThrow(SandboxError);
  }
});

it("agrees with the file system's own idea of where a path leads", () => {
  const name = fc.constantFrom("a", "..", ".", "", "workspace", "b c");
  const path = fc.tuple(fc.boolean(), fc.array(name, { maxLength: 8 }));
  fc.assert(
    fc.property(path, ([absolute, names]) => {
      const text = `${absolute ? "/" : ""}${names.join("/")}`;
      const real = posix.resolve("/workspace", text);
      let confined: string | undefined;
      try {
        confined = confinedPath(text, "/workspace");
      } catch (error) {
        if (!(error instanceof SandboxError)) throw error;
      }
      // Climbing above the root is refused even where the file system would stop there.
      if (confined !== undefined) expect(`/workspace/${confined}`).toBe(real);
      else if (real.startsWith("/workspace/")) expect(text).toMatch(/\.\./);
    }),
  );
});

import { describe, expect, it } from "vitest";
import { isExpected, messageOf } from "../../containers/gymline/faults.ts";
import { DamagedObjectError } from "../../shared/stages/stored-json.ts";

describe("a fault as the command line says it", () => {
  it("comes with a remedy and without a stack where the file system refused", () => {
    const refused = Object.assign(new Error("EACCES, Permission denied: out/.tmp"), { code: "EACCES" });
    expect(isExpected(refused)).toBe(true);
    expect(messageOf(refused)).toBe(
      "EACCES, Permission denied: out/.tmp; give yourself the right to write there, or use another folder",
    );
    expect(isExpected(Object.assign(new Error("full"), { code: "ENOSPC" }))).toBe(true);
  });

  it("keeps the stack of what nobody expected", () => {
    expect(isExpected(new TypeError("x is undefined"))).toBe(false);
    expect(messageOf(new TypeError("x is undefined"))).toBe("x is undefined");
  });

  it("names a damaged file of the store", () => {
    const damaged = new DamagedObjectError("labels/0d/0d.ann.json", "it is no JSON");
    expect(isExpected(damaged)).toBe(true);
    expect(messageOf(damaged)).toContain("labels/0d/0d.ann.json: it is no JSON; correct or remove this file");
  });
});

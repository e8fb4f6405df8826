import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at, field, json, keepRest, nearness, rest } from "../../../shared/trajectory/formats/read.ts";

describe("reads of untrusted values", () => {
  it("see own keys only", () => {
    expect(field({}, "constructor")).toBeUndefined();
    expect(field(JSON.parse('{"__proto__":1}'), "__proto__")).toBe(1);
    expect(at({ a: { b: [1] } }, "a", "b")).toEqual([1]);
    expect(at({ a: "text" }, "a", "length")).toBeUndefined();
    expect(json("{")).toBeUndefined();
  });

  it("split every field that says something into kept, large and used ones", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.string()), (value, used) => {
        const { kept, large } = rest(value, used);
        for (const key of Object.keys(value)) {
          const places = [Object.hasOwn(kept, key), large.includes(key)].filter(Boolean).length;
          const item = value[key];
          const empty =
            item === null || item === "" || (typeof item === "object" && Object.keys(item).length === 0);
          expect(places).toBe(used.includes(key) || empty ? 0 : 1);
        }
      }),
    );
  });

  it("keep small unknown fields as metadata and report large ones, quoting plain keys only", () => {
    const metadata: Record<string, unknown> = {};
    const dropped: string[] = [];
    const value = JSON.parse('{"__proto__":{"x":1},"a":1,"known":2}');
    value.long = "x".repeat(3_000);
    value["a secret key"] = "y".repeat(3_000);
    keepRest({ value, used: ["known"], path: "$", sink: { metadata, drop: (path) => dropped.push(path) } });
    expect(Object.keys(metadata)).toEqual(["__proto__", "a"]);
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
    expect(dropped).toEqual(["$.long", "$.*"]);
  });

  it("name what a near miss lacks", () => {
    const detection = nearness([
      [true, "`a`"],
      [false, "`b`"],
    ]);
    expect(detection).toEqual({ match: false, near: 0.5, missing: ["`b`"] });
  });
});

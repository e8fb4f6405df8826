import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Json, resolveIntrinsics } from "../../infra/local/batch/intrinsics.ts";

/** A value as a template writes it, and as it must come out. */
interface Pair {
  readonly written: Json;
  readonly value: Json;
}

const KNOWN: Readonly<Record<string, string>> = {
  Bucket: "b-1",
  "Bucket.Arn": "arn:b",
  "AWS::Region": "here",
};
const lookup = (name: string): Json | undefined => (Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined);
const resolve = (written: Json): Json | undefined => resolveIntrinsics(written, { lookup, path: "It" });

/** A placeholder of `Fn::Sub`. */
const hole = (name: string): string => `\${${name}}`;
const plain = fc.string({ unit: fc.constantFrom("a", "-", "{", "}", "/", "é"), maxLength: 5 });
const same = (value: Json): Pair => ({ written: value, value });

/** Texts, written in every way a template knows, one within the other. */
const { text } = fc.letrec<{ readonly text: Pair; readonly texts: readonly Pair[] }>((tie) => ({
  text: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    plain.map(same),
    fc.constantFrom<Pair>(
      { written: { Ref: "Bucket" }, value: "b-1" },
      { written: { "Fn::GetAtt": ["Bucket", "Arn"] }, value: "arn:b" },
      { written: { "Fn::GetAtt": "Bucket.Arn" }, value: "arn:b" },
      { written: { "Fn::ImportValue": "Bucket" }, value: "b-1" },
      {
        written: { "Fn::Sub": `${hole("AWS::Region")}/${hole("Bucket.Arn")}/${hole("!Bucket")}` },
        value: `here/arn:b/${hole("Bucket")}`,
      },
    ),
    fc.tuple(plain, tie("texts")).map(([delimiter, items]) => ({
      written: { "Fn::Join": [delimiter, items.map(({ written }) => written)] },
      value: items.map(({ value }) => value).join(delimiter),
    })),
    fc.tuple(plain, tie("text")).map(([before, { written, value }]) => ({
      written: { "Fn::Sub": [before + hole("It"), { It: written }] },
      value: `${before}${value}`,
    })),
    tie("texts")
      .filter((items) => items.length > 0)
      .chain((items) => fc.tuple(fc.constant(items), fc.nat(items.length - 1)))
      .map(([items, index]) => ({
        written: { "Fn::Select": [index, items.map(({ written }) => written)] },
        value: items[index]?.value ?? null,
      })),
  ),
  texts: fc.array(tie("text"), { maxLength: 3 }),
}));

const { tree } = fc.letrec<{ readonly tree: Pair }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text,
    fc.constantFrom(same(null), same(true), same(7)),
    fc.array(tie("tree"), { maxLength: 3 }).map((items) => ({
      written: items.map(({ written }) => written),
      value: items.map(({ value }) => value),
    })),
    fc.dictionary(fc.constantFrom("Image", "Command", "Value"), tie("tree")).map((fields) => {
      const entries = Object.entries(fields);
      return {
        written: Object.fromEntries(entries.map(([key, { written }]) => [key, written])),
        value: Object.fromEntries(entries.map(([key, { value }]) => [key, value])),
      };
    }),
  ),
}));

describe("the functions of a template", () => {
  it("come to their values, however they stand within each other", () => {
    fc.assert(
      fc.property(tree, ({ written, value }) => {
        expect(resolve(written)).toEqual(value);
      }),
    );
  });

  it("leave values without functions as they are", () => {
    const json = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('"Ref"'));
    fc.assert(
      fc.property(json, (value) => {
        expect(resolve(value as Json)).toEqual(value);
      }),
    );
  });

  it("name the place and what is missing, wherever it is", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("Image", "Value"), { maxLength: 4 }), (keys) => {
        const written = keys.reduceRight<Json>((inner, key) => ({ [key]: inner }), { Ref: "Nobody" });
        const path = ["It", ...keys].join(".");
        expect(() => resolve(written)).toThrow(`${path}: nobody knows Nobody`);
      }),
    );
  });

  it("split texts", () => {
    expect(resolve({ "Fn::Split": [",", "a,b"] })).toEqual(["a", "b"]);
    expect(resolve({ "Fn::Select": ["1", { "Fn::Split": ["|", "a|b"] }] })).toBe("b");
  });

  it("drop what has no value", () => {
    expect(resolve({ Keep: 1, Drop: { Ref: "AWS::NoValue" }, List: [{ Ref: "AWS::NoValue" }, 2] })).toEqual({
      Keep: 1,
      List: [2],
    });
  });

  it("are refused by name where the runner does not know them", () => {
    expect(() => resolve({ Image: { "Fn::If": ["A", 1, 2] } })).toThrow("It.Image: Fn::If is not supported");
  });
});

import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bytesText,
  displayWidth,
  figure,
  many,
  printable,
  printableLines,
  table,
} from "../../containers/gymline/terminal.ts";

const lines = (text: string): readonly string[] => stripVTControlCharacters(text).split("\n");

describe("a table", () => {
  it("gives each column the width of its widest cell or title", () => {
    const text = table(
      [{ title: "id" }, { title: "steps", align: "right" }],
      [
        ["abcdef", "1"],
        ["x", "1234567"],
      ],
    );
    expect(lines(text)).toEqual(["  id        steps", "  abcdef        1", "  x       1234567"]);
  });

  it("counts Chinese, Japanese and Korean characters and emoji as two columns", () => {
    const text = table(
      [{ title: "task" }, { title: "x" }],
      [
        ["修复错误", "1"],
        ["한국", "2"],
        ["🚀", "3"],
        ["abc", "4"],
      ],
    );
    const [, ...rows] = lines(text);
    expect(rows).toEqual(["  修复错误  1", "  한국      2", "  🚀        3", "  abc       4"]);
  });

  it("counts combining marks and joiners as no column", () => {
    expect(displayWidth("e\u0301")).toBe(1);
    expect(displayWidth("❤\ufe0f")).toBe(1);
  });

  it("cuts a long cell with an ellipsis inside its bound", () => {
    const [, row = ""] = lines(table([{ title: "t", max: 5 }], [["修复错误"]]));
    expect(row).toBe("  修复…");
    const [, narrow = ""] = lines(table([{ title: "t", max: 5 }], [["abcdef"]]));
    expect(narrow).toBe("  abcd…");
  });

  it("keeps the second column in one place, whatever stands in the first", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 30 }), { minLength: 1 }), (cells) => {
        const text = table(
          [{ title: "" }, { title: "|" }],
          cells.map((cell) => [cell, "|"]),
        );
        const places = lines(text).map((line) => displayWidth(line.slice(0, line.lastIndexOf("|"))));
        expect(new Set(places).size).toBe(1);
      }),
    );
  });
});

describe("text out of logs", () => {
  it("cannot move the cursor, recolour the terminal, ring or turn the writing round", () => {
    expect(printable("a\u001b[2Jb")).toBe("a·[2Jb");
    expect(printable("a\u009b31mb\u0007\r\u202ec")).toBe("a·31mb··" + "·c");
  });

  it("stays on one line", () => {
    expect(printable("a\nb\tc")).toBe("a b c");
    expect(printableLines("a\nb\u001bc")).toBe("a\nb·c");
  });

  it("never holds a control character afterwards", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        expect(printableLines(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

describe("figures", () => {
  it("show what is not known as a dash", () => {
    expect([figure(null), figure(0), figure(0.12345)]).toEqual(["–", "0.000", "0.123"]);
  });

  it("show bytes in decimal units", () => {
    expect([0, 999, 1000, 1_234_567].map(bytesText)).toEqual(["0 B", "999 B", "1.00 KB", "1.23 MB"]);
  });

  it("count in the singular and the plural", () => {
    expect([many(1, "file"), many(2, "file"), many(1200, "trajectory", "trajectories")]).toEqual([
      "1 file",
      "2 files",
      "1,200 trajectories",
    ]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CalibrationError } from "../../shared/calibration/calibration-error.ts";
import { parseCsv } from "../../shared/calibration/csv.ts";
import { readCalibrationRows } from "../../shared/calibration/read-rows.ts";

const rows = [
  { id: "a", group: "t1", score: 0.5, human: 0.25, success: true },
  { id: "line 3", group: null, score: 1, human: 0, success: null },
];

describe("reading scores and human scores", () => {
  it("takes JSON Lines, CSV, a JSON array and the reference's two columns", () => {
    const lines =
      '{"id":"a","group":"t1","score":0.5,"human":0.25,"success":true}\n\n{"score":1,"human":0}\n';
    const csv = '\uFEFFid,Group,score,human,success,note\r\na,t1,.5,0.25,yes,"x, ""y""\nz"\r\n,,1,0,\r\n';
    expect(readCalibrationRows(lines, "f")).toEqual(rows);
    expect(readCalibrationRows(csv, "f")).toEqual([rows[0], { ...rows[1], id: "line 4" }]);
    expect(readCalibrationRows(JSON.stringify([{ score: 1, human: 0, group: 7 }]), "f")).toEqual([
      { id: "$[0]", group: "7", score: 1, human: 0, success: null },
    ]);
    expect(readCalibrationRows('{"reward_scores":[1,2],"human_scores":[3,4]}', "f")).toMatchObject([
      { score: 1, human: 3 },
      { score: 2, human: 4 },
    ]);
  });

  it.each([
    ["", "f is empty"],
    ["score,people\n1,2", 'f:1: the header has no column "human"'],
    ["score,human\n1,2\nhigh,2", "f:3: score"],
    ["score,human\n1,\n", "f:2: human"],
    ["score,human,success\n1,1,perhaps\n", "f:2: success"],
    ['score,human\n"1,2', "a quoted cell does not end"],
    ['{"score":1,"human":0}\n{"score":', "f:2: this line is no JSON"],
    ['[{"score":1}]', "f $[0]: human"],
    ['{"reward_scores":[1],"human_scores":[1,2]}', "1 reward_scores stand against 2"],
    ['{"reward_scores":["1"],"human_scores":[1]}', "reward_scores.0"],
  ])("says what is wrong with %j", (text, reason) => {
    expect(() => readCalibrationRows(text, "f")).toThrow(CalibrationError);
    expect(() => readCalibrationRows(text, "f")).toThrow(reason);
  });

  it("reads back any cells that were quoted", () => {
    const table = fc.array(fc.array(fc.string(), { minLength: 2, maxLength: 4 }), { maxLength: 6 });
    fc.assert(
      fc.property(table, (cells) => {
        const text = cells
          .map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(","))
          .join("\n");
        expect(parseCsv(text).map((row) => row.cells)).toEqual(cells);
      }),
    );
  });
});

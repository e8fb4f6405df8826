import { describe, expect, it } from "vitest";
import { annotationPage } from "../../shared/annotation/page.ts";
import { pageData, type ToAnnotate } from "../../shared/annotation/page-data.ts";
import { shortened, turnsOf, turnsText } from "../../shared/annotation/turns.ts";
import { profileFor } from "../../shared/stages/score-trajectory.ts";
import { chatRow } from "../factories/logs.ts";
import { makeStation } from "../factories/station.ts";

async function toAnnotate(): Promise<ToAnnotate> {
  const station = makeStation();
  station.write("team/a.json", chatRow({ task: "one", success: true }));
  await station.run();
  const [entry] = await station.select();
  const trajectory = await station.document(entry?.id ?? "");
  return { trajectory, profile: profileFor(trajectory, undefined), reward: 0.8125 };
}

describe("what an annotation page shows of a trajectory", () => {
  it("is its task, its steps in order, and the rubrics of its domain", async () => {
    const page = pageData([await toAnnotate()], { annotator: "ann" });
    const [item] = page.items;
    expect([page.annotator, item?.task.id]).toEqual(["ann", "one"]);
    expect(item?.rubrics.length).toBeGreaterThan(2);
    expect(item?.turns.map((turn) => (turn.kind === "agent" ? turn.index : turn.source))).toEqual([
      "system",
      "user",
      0,
      1,
      2,
    ]);
    expect(item?.turns[2]).toMatchObject({
      thought: "Step 1.",
      message: "",
      calls: [{ tool: "bash", arguments: [{ name: "command", text: "ls" }], output: "a.txt\nb.txt" }],
    });
  });

  it("is neither its reward nor its verdict, unless that is asked for", async () => {
    const item = await toAnnotate();
    const blind = annotationPage(pageData([item]));
    expect(blind).not.toContain("0.8125");
    expect(blind).not.toMatch(/"success":/);
    expect(pageData([item], { showScores: true }).items[0]?.automatic).toEqual({
      reward: 0.8125,
      success: true,
    });
  });

  it("has the same page id for the same sample, and another for another", async () => {
    const item = await toAnnotate();
    const id = pageData([item]).page_id;
    expect(pageData([item], { annotator: "bob", showScores: true }).page_id).toBe(id);
    expect(pageData([item, item]).page_id).not.toBe(id);
  });

  it("is shortened in the middle where a text is very long, without half characters", async () => {
    const { trajectory } = await toAnnotate();
    const [, , first] = turnsOf(trajectory, 5);
    expect(first).toMatchObject({ calls: [{ output: "a.tx\n… 6 characters left out …\nt" }] });
    expect(shortened("😀".repeat(10), 7).isWellFormed()).toBe(true);
    expect(shortened("short", 5)).toBe("short");
  });

  it("can be told as one plain text", async () => {
    const { trajectory } = await toAnnotate();
    const text = turnsText(turnsOf(trajectory), 10_000);
    expect(text).toContain("[agent, step 2]\nStep 2.\n[call] bash\ncommand: cat a.txt\n[result]\none line");
    expect(turnsText(turnsOf(trajectory), 60).length).toBeLessThan(110);
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { pairSchema } from "../../shared/votes/vote.ts";
import { json, status, votingServer } from "../adapters/http/voting-server.ts";
import { makeFile, makeLabel } from "../annotation/label-factory.ts";
import { idOf } from "../factories/catalog-rows.ts";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

interface Place {
  readonly folder: string;
  readonly store: string;
  readonly ids: readonly string[];
  /** Runs a command on the store, in the folder. */
  readonly run: (...args: readonly string[]) => ReturnType<typeof gymline>;
}

async function makeStore(): Promise<Place> {
  const folder = temporaryFolder("people");
  const store = join(folder, "out");
  const logs = join(folder, "logs.jsonl");
  const prompts = ["one", "two", "three", "four"];
  writeFileSync(
    logs,
    prompts
      .map(
        (prompt, index) =>
          `${chatRow({ task: "t", prompt: `${prompt} </script><b>`, success: index > 0 })}\n`,
      )
      .join(""),
  );
  const made = await gymline(["run", logs, "--out", store, "--no-export"]);
  expect([made.code, made.stderr]).toEqual([0, ""]);
  const listed = await gymline(["list", "--store", store, "--json"]);
  const ids = listed.stdout
    .trim()
    .split("\n")
    .map((line) => z.object({ id: z.string() }).parse(JSON.parse(line)).id);
  const run = (...args: readonly string[]) => gymline([...args, "--store", store], { cwd: folder });
  return { folder, store, ids, run };
}

describe("gymline annotate", () => {
  it("writes a page of a seeded sample, blind and whole", async () => {
    const { folder, run, ids } = await makeStore();
    const made = await run("annotate", "--out", "page.html", "-n", "3", "--seed", "7");
    expect([made.code, made.stderr]).toEqual([0, ""]);
    expect(made.stdout).toContain("3 trajectories of 4, drawn with seed 7");
    expect(made.stdout).toMatch(/coding, not solved, low reward +1 +1\n/);
    const page = readFileSync(join(folder, "page.html"), "utf8");
    expect(ids.filter((id) => page.includes(id))).toHaveLength(3);
    expect(page).not.toContain("</script><b>");
    expect(page).not.toMatch(/"reward":|"success":/);
    await run("annotate", "--out", "again.html", "-n", "3", "--seed", "7");
    expect(readFileSync(join(folder, "again.html"), "utf8")).toBe(page);
    await run("annotate", "--out", "open.html", "-n", "3", "--seed", "7", "--show-scores");
    expect(readFileSync(join(folder, "open.html"), "utf8")).toMatch(/"automatic":\{"reward":/);
  });

  it("takes in labels, says what it refused and who labelled", async () => {
    const { folder, run, ids } = await makeStore();
    const [first = "", second = ""] = ids;
    const write = (name: string, content: unknown) =>
      writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
    const bad = { ...makeLabel(second), score: 3 };
    write("ann.json", makeFile([makeLabel(first), makeLabel("nowhere"), bad]));
    write("bob.json", makeFile([makeLabel(first, { annotator: "bob" })], "bob"));
    write("broken.json", "{");
    const taken = await run("annotate", "--import", "ann.json", "bob.json", "broken.json", "absent.json");
    expect(taken.code).toBe(2);
    expect(taken.stdout).toMatch(
      /^2 new labels, 2 refused\n {2}1 score changed by them\n.*gymline calibrate/,
    );
    for (const text of [
      "broken.json: it is no valid JSON; give a file that an annotation page saved",
      "absent.json cannot be read",
      `ann.json labels[1] (trajectory ${idOf("nowhere")}): the store holds no such trajectory`,
      "ann.json labels[2].score",
    ]) {
      expect(taken.stderr).toContain(text);
    }
    const again = await run("annotate", "--import", "bob.json");
    expect([again.code, again.stdout]).toEqual([0, "0 new labels, 1 as before\n"]);
    const listed = await run("annotate", "--list");
    expect(listed.stdout).toMatch(/ann +1 +1 .+\n +bob +1 +1/);
    expect(listed.stderr).toBe("1 trajectory has labels\n");
  });

  it("says what to give instead of what it cannot use", async () => {
    const { run } = await makeStore();
    for (const [args, says] of [
      [[], "give one of --out"],
      [["--out", "p.html", "--list"], "give one of --out"],
      [["--out", "p.html", "-n", "0"], "--n takes a whole number"],
      [["--out", "p.html", "--seed", ""], "--seed takes a whole number"],
      [["--out", "p.html", "--strata", "luck"], "--strata takes domain, success, score"],
      [["--out", "p.html", "--annotator", "Ann Lee"], "--annotator takes lower-case"],
      [["--out", "p.html", "--project", "nobody"], "no trajectory of"],
    ] as const) {
      const result = await run("annotate", ...args);
      expect([result.code, result.stdout]).toEqual([1, ""]);
      expect(result.stderr).toContain(says);
    }
    const absent = await gymline(["annotate", "--store", "nowhere", "--import", "x.json"]);
    expect([absent.code, absent.stderr]).toEqual([1, expect.stringContaining("holds no gymline store")]);
  });
});

describe("gymline votes", () => {
  const url = "http://127.0.0.1:1/api";
  const vote = (pairId: string, voter: string, choice: string) => ({
    schema: "gymline.vote.v1",
    pair_id: pairId,
    voter,
    choice,
    at: "2026-02-01T12:00:00Z",
  });

  it("go out as pairs, come back and are shown, by way of a service", async () => {
    const { store, run } = await makeStore();
    const pushed: z.infer<typeof pairSchema>[] = [];
    const server = await votingServer((response, { method, body }) => {
      if (method === "POST") {
        pushed.push(...z.object({ pairs: z.array(pairSchema) }).parse(JSON.parse(body)).pairs);
        json(response, {});
        return;
      }
      const votes = pushed.flatMap(({ pair_id }) =>
        ["ann", "bob"].map((voter) => vote(pair_id, voter, "left")),
      );
      json(response, { votes, next: null });
    });
    const env = { GYMLINE_VOTES_TOKEN: "t0k" };
    const push = await gymline(["votes", "push", "--store", store, "--to", server.url, "--band", "1"], {
      env,
    });
    expect([push.code, push.stderr]).toEqual([0, ""]);
    expect(push.stdout).toMatch(/^3 pairs of 1 task, out of 4 trajectories, at http/);
    expect(pushed).toHaveLength(3);
    expect(server.asked[0]?.headers.authorization).toBe("Bearer t0k");
    const pull = await run("votes", "pull", "--from", server.url);
    expect([pull.code, pull.stdout]).toEqual([0, expect.stringMatching(/^6 new votes\n/)]);
    const shown = await run("votes", "show", "--strengths");
    expect(shown.stdout).toMatch(
      /t +[0-9a-f]{10} +[0-9a-f]{10} +2 +0 +0 +0 +left +1\.00 \(95%: 0\.34 to 1\.00\), n = 2/,
    );
    expect(shown.stdout).toContain("Strengths of the attempts at t");
    expect(shown.stdout).toMatch(/ann +3 +3 of 3/);
    expect(shown.stderr).toBe("6 votes on 3 of 3 pairs\n");
  });

  it("go out and come back as files too", async () => {
    const { folder, run } = await makeStore();
    const saved = await run("votes", "export", "pairs.jsonl", "--band", "1", "--limit", "1");
    expect(saved.stdout).toContain("1 pair of 1 task");
    const pair = pairSchema.parse(JSON.parse(readFileSync(join(folder, "pairs.jsonl"), "utf8")));
    const lines = [vote(pair.pair_id, "ann", "right"), vote(idOf("x"), "ann", "tie"), { choice: 1 }];
    const text = `${lines.map((line) => JSON.stringify(line)).join("\n")}\nnot json\n`;
    writeFileSync(join(folder, "votes.jsonl"), text);
    const taken = await run("votes", "import", "votes.jsonl");
    expect([taken.code, taken.stdout]).toEqual([
      2,
      expect.stringContaining("1 new vote, 1 on pairs that the store does not hold, 2 refused"),
    ]);
    expect(taken.stderr).toContain("votes.jsonl:3: schema");
    expect(taken.stderr).toContain("votes.jsonl:4: the line is no valid JSON");
    const json_ = await run("votes", "show", "--json");
    expect(JSON.parse(json_.stdout)).toMatchObject({
      pairs: 1,
      votes: 1,
      tallies: [{ right: 1, majority: "right" }],
    });
  });

  it("say what is wrong with the service, without a trace", async () => {
    const { run } = await makeStore();
    const server = await votingServer(status(401));
    for (const [args, says] of [
      [["push", "--to", server.url, "--band", "1"], "check the token (GYMLINE_VOTES_TOKEN)"],
      [["pull", "--from", server.url], "status 401"],
      [["pull", "--from", "votes.example.org"], "is no HTTP address"],
      [["push", "--to", url, "--band", "2"], "--band takes a number from 0 to 1"],
    ] as const) {
      const result = await run("votes", ...args);
      expect([result.code, result.stdout]).toEqual([1, ""]);
      expect(result.stderr).toContain(says);
      expect(result.stderr).not.toContain("    at ");
    }
  });
});

import { createHash } from "node:crypto";
import fc from "fast-check";
import { Window } from "happy-dom";
import { describe, expect, it, onTestFinished } from "vitest";
import { annotationPage, embeddedJson } from "../../shared/annotation/page.ts";
import type { PageData } from "../../shared/annotation/page-data.ts";
import { makePage, pageItem } from "./page-factory.ts";

/** What a log may hold that a page must show and never obey. */
const HOSTILE = [
  "</script><img src=x onerror=\"document.title='owned'\">",
  "<!--<script>",
  "<svg/onload=alert(1)>",
  "</pre></textarea></title>&lt;b&gt;",
  "line\u2028separator\u2029here",
  "\ud800 half a character",
  "`$" + "{document.title='owned'}`",
  "]]>\u0000",
];

interface Opened {
  readonly window: Window;
  readonly text: (id: string) => string;
  readonly press: (...keys: readonly string[]) => void;
  /** What the browser keeps of this person's labels. */
  readonly kept: (annotator: string) => unknown;
}

/** The page in a browser, with its own script run from its own text. */
async function opened(page: PageData, window: Window = freshWindow()): Promise<Opened> {
  window.document.write(annotationPage(page));
  await window.happyDOM.waitUntilComplete();
  const byId = (id: string) => {
    const found = window.document.getElementById(id);
    if (found === null) throw new Error(`no element ${id}`);
    return found;
  };
  return {
    window,
    text: (id) => byId(id).textContent,
    press: (...keys) => {
      for (const key of keys) {
        const target = window.document.activeElement ?? window.document.body;
        target.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      }
    },
    kept: (annotator) =>
      JSON.parse(
        window.localStorage.getItem(`gymline.annotation.${page.page_id}.${annotator}`) ?? "null",
      ) as unknown,
  };
}

/** The only script is the page's own; texts of the tests must not run, which is what they are about. */
const settings = { enableJavaScriptEvaluation: true, suppressInsecureJavaScriptEnvironmentWarning: true };

function freshWindow(): Window {
  const window = new Window({ url: "https://page.test/", settings });
  onTestFinished(() => window.happyDOM.close());
  return window;
}

const named = (names: readonly string[]) => makePage(names, { annotator: "ann" });

describe("an annotation page", () => {
  it("makes labels out of keys, shows them and keeps them in the browser", async () => {
    const { text, press, kept } = await opened(named(["one", "two"]));
    expect([text("place"), text("count"), text("who")]).toEqual([
      "Trajectory 1 of 2",
      "0 of 2 scored",
      "ann",
    ]);
    press("4", "y", "j", "s", "1", "r", "5");
    expect(text("count")).toBe("1 of 2 scored");
    expect(kept("ann")).toMatchObject({
      [pageItem("one").id]: {
        score: 0.75,
        solved: "yes",
        steps: { 0: 0 },
        rubrics: { goal_progress: 1 },
      },
    });
    press("l");
    expect(text("place")).toBe("Trajectory 2 of 2");
  });

  it("goes on where it was left", async () => {
    const first = await opened(named(["one", "two"]));
    first.press("2", "l", "3");
    const kept = first.window.localStorage.getItem("gymline.annotation.00112233aabbccdd.ann") ?? "";
    const window = freshWindow();
    window.localStorage.setItem("gymline.annotation.00112233aabbccdd.ann", kept);
    const again = await opened(named(["one", "two"]), window);
    expect(again.text("count")).toBe("2 of 2 scored");
  });

  it("asks who labels, and takes no label before it knows", async () => {
    const { window, text, press, kept } = await opened(makePage(["one"]));
    press("5");
    expect(text("count")).toBe("0 of 1 scored");
    const field = window.document.getElementById("name") as unknown as { value: string };
    const begin = window.document.getElementById("take-name") as unknown as { click(): void; blur(): void };
    field.value = "…";
    begin.click();
    expect(text("name-fault")).not.toBe("");
    field.value = "Zoe K";
    begin.click();
    begin.blur();
    press("5");
    expect(text("who")).toBe("zoe-k");
    expect(kept("zoe-k")).toMatchObject({ [pageItem("one").id]: { score: 1 } });
  });

  it("takes keys in the comment for text, until Escape", async () => {
    const { window, text, press } = await opened(named(["one", "two"]));
    press("c");
    expect(window.document.activeElement?.id).toBe("comment");
    press("5", "l");
    expect([text("count"), text("place")]).toEqual(["0 of 2 scored", "Trajectory 1 of 2"]);
    press("Escape", "5");
    expect(text("count")).toBe("1 of 2 scored");
  });

  it("folds long texts and shows them at the press of a key", async () => {
    const long = "line\n".repeat(200);
    const turn = { kind: "message", source: "user", text: long } as const;
    const { window, press } = await opened({
      ...named(["one"]),
      items: [pageItem("one", { turns: [turn] })],
    });
    const folded = () => window.document.querySelectorAll(".folded").length;
    expect(folded()).toBe(1);
    press("o");
    expect(folded()).toBe(0);
  });

  it("shows the automatic score only where it was put in", async () => {
    const open = { ...pageItem("one"), automatic: { reward: 0.8, success: true } };
    const { text } = await opened({ ...named([]), items: [open] });
    expect(text("trajectory")).toContain("Automatic reward 0.800; the log says solved");
    expect((await opened(named(["one"]))).text("trajectory")).not.toContain("Automatic");
  });
});

describe("what trajectories say, on an annotation page", () => {
  it("stays text, wherever it stands", async () => {
    const bad = HOSTILE.join("\n");
    const item = pageItem("one", {
      task: { id: bad, description: bad, repo: bad },
      domain: bad,
      turns: [
        { kind: "message", source: "user", text: bad },
        {
          kind: "agent",
          index: 0,
          thought: bad,
          message: bad,
          calls: [{ tool: bad, arguments: [{ name: bad, text: bad }], output: bad, exitCode: 1 }],
          observations: [bad],
        },
      ],
    });
    const { window, text } = await opened({ ...named([]), items: [item] });
    const { document } = window;
    expect(document.title).toBe("Gymline: label 1 trajectories");
    expect(document.querySelectorAll("script, img, svg, iframe, object, link")).toHaveLength(2);
    for (const line of HOSTILE) expect(text("trajectory")).toContain(line);
  });

  it("is JSON that a parser of HTML sees no markup in, and that reads back the same", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...HOSTILE)), (text) => {
        const json = embeddedJson({ [text]: [text] });
        expect(json).not.toMatch(/[<>&\u2028\u2029]/);
        expect(JSON.parse(json)).toEqual({ [text]: [text] });
      }),
    );
  });
});

describe("the policy of an annotation page", () => {
  const html = annotationPage(makePage(["one"]));
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? "";

  it("allows no connection and nothing from elsewhere", () => {
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:|connect-src/);
    expect(html).not.toMatch(/(?:src|href)=/);
  });

  it("allows exactly the script and the style that stand in it", () => {
    const [, script = ""] = /<script>([\s\S]*?)<\/script>/.exec(html) ?? [];
    const [, style = ""] = /<style>([\s\S]*?)<\/style>/.exec(html) ?? [];
    for (const [kind, text] of [
      ["script", script],
      ["style", style],
    ] as const) {
      expect(text.length).toBeGreaterThan(1000);
      const hash = createHash("sha256").update(text).digest("base64");
      expect(policy).toContain(`${kind}-src 'sha256-${hash}'`);
    }
  });
});

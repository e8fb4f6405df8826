import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  commandCall,
  instanceName,
  lastFenced,
  problemStatement,
  xmlCall,
} from "../../../shared/trajectory/formats/swe-agent-text.ts";

describe("SWE-agent's text", () => {
  it("has a command of the agent's interface under its own name and any other under bash", () => {
    expect(commandCall("  open a.py 3\n")).toEqual({
      name: "open",
      arguments: { command: "open a.py 3" },
      from: "text",
    });
    expect(commandCall("opening hours")?.name).toBe("bash");
    expect(commandCall(" \n")).toBeUndefined();
  });

  it("has its command in the last closed block, where a labelled fence opens an inner one", () => {
    expect(lastFenced("a\n```\nls\n```\nb\n```python\npwd\n```")).toBe("pwd\n");
    expect(lastFenced("```\nouter\n```js\ninner\n```\nrest\n```")).toBe("outer\n```js\ninner\n```\nrest\n");
    expect(lastFenced("```\nls\n```\n```\nnever closed")).toBe("ls\n");
    expect(lastFenced("no block, only ``` within a line")).toBeUndefined();
  });

  it("gives a fenced command back as it was put in", () => {
    const plain = fc.string().filter((text) => !text.includes("`"));
    fc.assert(
      fc.property(plain, plain, (before, command) => {
        expect(lastFenced(`${before}\n\`\`\`\n${command}\n\`\`\``)).toBe(`${command}\n`);
      }),
    );
  });

  it("gives the parameters of function XML back as they were put in", () => {
    const name = fc.stringMatching(/^[a-z_]{1,12}$/);
    const value = fc.string().filter((text) => !text.includes("</") && !/^\n|\n$/.test(text));
    fc.assert(
      fc.property(name, fc.dictionary(name, value), (tool, parameters) => {
        const body = Object.entries(parameters).map(
          ([key, text]) => `<parameter=${key}>\n${text}\n</parameter>\n`,
        );
        const call = xmlCall(`Words.\n<function=${tool}>\n${body.join("")}</function>`);
        expect(call?.name).toBe(tool);
        expect(Object.entries(call?.arguments ?? {})).toEqual(Object.entries(parameters));
      }),
    );
  });

  it("holds no call where the XML is not closed or has no proper name", () => {
    expect(xmlCall("<function=bash>")).toBeUndefined();
    expect(xmlCall("<function=a b c>x</function>")).toBeUndefined();
    expect(xmlCall("<function=bash><parameter=command>ls</function>")?.arguments).toEqual({});
  });

  it("frames the problem statement with the words of its templates", () => {
    expect(problemStatement("ISSUE:\nslow\n\nINSTRUCTIONS:\ngo")).toBe("slow");
    expect(problemStatement("x <pr_description>\nslow\n</pr_description> y")).toBe("slow");
    expect(problemStatement("just this")).toBe("just this");
  });

  it("gives a task its name only where the file is named like an instance", () => {
    expect(instanceName("owner-x__repo.y-12")).toBe("owner-x__repo.y-12");
    for (const stem of ["run", "a__b", "a__b__c-1", "__b-1", "a b__c-1"])
      expect(instanceName(stem)).toBeUndefined();
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { markedCommand, returnCode } from "../../../shared/trajectory/formats/mini-swe-agent-messages.ts";

const block = (command: string, tag = "bash") => `THOUGHT: go\n\n\`\`\`${tag}\n${command}\n\`\`\``;

describe("the marked command", () => {
  it("is the only block with the agent's label", () => {
    expect(markedCommand(block("ls -l"))).toBe("ls -l");
    expect(markedCommand(`${block("old")}\n${block("new", "mswea_bash_command")}`)).toBe("new");
    expect(markedCommand(`${block("a")}\n${block("b")}`)).toBeUndefined();
    expect(markedCommand("```bash\nnever closed")).toBeUndefined();
    expect(markedCommand("```python\nprint()\n```")).toBeUndefined();
    expect(markedCommand("<mswea_bash_command>\nls\n</mswea_bash_command>")).toBe("ls");
  });

  it("comes back out of any message it was put in", () => {
    const plain = fc.string().filter((text) => !text.includes("`"));
    fc.assert(
      fc.property(plain, plain, plain, (before, command, after) => {
        const message = `${before}\n\`\`\`bash\n${command}\n\`\`\`\n${after}`;
        fc.pre(!message.includes("<mswea_bash_command>"));
        expect(markedCommand(message)).toBe(command.trim());
      }),
    );
  });

  it("has an exit code only where the template begins the observation", () => {
    expect(returnCode("<returncode>137</returncode>\n<output>")).toBe(137);
    expect(returnCode("<exception>boom</exception>\n<returncode>-1</returncode>")).toBe(-1);
    expect(returnCode("see <returncode>1</returncode>")).toBeUndefined();
  });
});

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deploy } from "../../infra/local/deploy.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { useEngine } from "./engine.ts";

describe("a deploy", () => {
  const engine = useEngine("ministack");

  it("shows what CDK and the app printed where it fails", async () => {
    const folder = temporaryFolder();
    const app = join(folder, "app.mjs");
    writeFileSync(app, 'console.error("the app has a fault"); process.exit(1);');

    const failing = deploy({ engine: engine.running, app: `node ${app}`, folder, withinMs: 120_000 });

    await expect(failing).rejects.toMatchObject({
      name: "DeployError",
      message: expect.stringMatching(/cdk deploy ended with exit status 1[\s\S]*the app has a fault/),
    });
  });

  it("is broken off when its time is up", async () => {
    const slow = deploy({ engine: engine.running, app: "true", folder: temporaryFolder(), withinMs: 100 });

    await expect(slow).rejects.toThrow("cdk bootstrap ran out of time");
  });
});

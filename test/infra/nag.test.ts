import { describe, expect, it } from "vitest";
import { nagFindings, type SynthOptions } from "./synth.ts";

const CONFIGURATIONS: Readonly<Record<string, SynthOptions>> = {
  "all defaults": {},
  "a key of its own": { config: { kms: true } },
  "datasets, subscribers and everything deleted with the stack": {
    config: {
      datasets: [{ request: { name: "daily" }, schedule: "rate(1 day)" }],
      alarms: { email: "team@example.com", webhook: "https://example.com/alarms" },
      onDelete: "destroy",
    },
  },
};

describe("the AwsSolutions rules of cdk-nag", () => {
  it.each(Object.entries(CONFIGURATIONS))("find nothing in a deployment with %s", (_name, options) => {
    expect(nagFindings(options)).toEqual([]);
  });
});

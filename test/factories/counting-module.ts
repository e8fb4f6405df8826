/** A module as `--env-module` takes it: registers the counting environment. */
import { z } from "zod";
import { registerEnv } from "../../shared/env/envs.ts";
import { CountingEnv } from "./counting-env.ts";

registerEnv({
  id: "test/counting-v1",
  domain: "coding",
  description: "Counts.",
  options: z.strictObject({}),
  create: () => new CountingEnv(),
});

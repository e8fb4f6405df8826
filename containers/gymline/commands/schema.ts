import type { Command } from "commander";
import { trajectoryJsonSchema } from "../../../shared/trajectory/json-schema.ts";
import { examples } from "../options.ts";
import { out } from "../terminal.ts";

export function addSchema(program: Command): void {
  const command = program.command("schema").description("print the JSON Schema of canonical trajectories");
  examples(command, ["gymline schema > trajectory.schema.json"]).action(() => {
    out(JSON.stringify(trajectoryJsonSchema(), null, 2));
  });
}

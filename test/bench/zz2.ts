import { readFileSync, readdirSync } from "node:fs";
import { taskSettings } from "../../shared/adapters/local/pipeline-plan.ts";
import { projectConfigSchema } from "../../shared/contracts/project-config.ts";
import { computeIngest } from "../../shared/stages/compute-tasks.ts";
const c = projectConfigSchema.parse({});
const settings = await taskSettings({ mappings: [], plugins: [], limits: c.limits, redaction: c.redaction, reward: c.reward });
const lines: Buffer[] = [];
for (const f of readdirSync("/tmp/corp/bench-team")) for (const l of readFileSync("/tmp/corp/bench-team/"+f,"utf8").split("\n")) if (l) lines.push(Buffer.from(l));
for (let k=0;k<3;k++) lines.forEach((bytes,index)=>computeIngest({source:'a/b',index,bytes,framing:'row'},settings));

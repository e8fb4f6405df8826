import { pipelineSuite } from "./pipeline-suite.ts";

pipelineSuite("ministack", { uploads: 5000, withinMs: 1_800_000 });

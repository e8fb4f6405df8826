import { pipelineSuite } from "./pipeline-suite.ts";

pipelineSuite("ministack", { uploads: 1000, withinMs: 240_000 });

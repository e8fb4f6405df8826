import { pipelineSuite } from "./pipeline-suite.ts";

pipelineSuite("localstack", { uploads: 1000, withinMs: 1_800_000 });

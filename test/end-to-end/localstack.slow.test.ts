import { pipelineSuite } from "./pipeline-suite.ts";

pipelineSuite("localstack", { uploads: 200, withinMs: 420_000 });

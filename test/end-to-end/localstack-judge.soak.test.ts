import { judgeSuite } from "./judge-suite.ts";

judgeSuite("localstack", { withinMs: 300_000 });

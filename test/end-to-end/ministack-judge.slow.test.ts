import { judgeSuite } from "./judge-suite.ts";

judgeSuite("ministack", { withinMs: 150_000 });

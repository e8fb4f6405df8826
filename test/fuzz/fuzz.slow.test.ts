import { it } from "vitest";
import { expectNoFaults, NAME } from "./expect-no-faults.ts";

it(NAME, () => expectNoFaults(3000));

import { costOf, sumOf, type Workload } from "./cost-model.ts";
import type { DeploymentShape } from "./deployment-shape.ts";
import { type InputName, inputValues } from "./inputs.ts";

/** What doubling one figure does to the cost of the work. */
export interface Sensitivity {
  readonly name: string;
  /** Change as a share: 0.1 is ten per cent more. */
  readonly change: number;
}

/** Inputs that somebody might have got wrong, the most telling first. */
const INPUT_NAMES = [
  "processorFactor",
  "ingestNsPerByte",
  "scoreNsPerByte",
  "exportNsPerByte",
  "s3GetMs",
  "s3PutMs",
  "dynamoReadMs",
  "dynamoWriteMs",
  "logBytesPerMessage",
] as const satisfies readonly InputName[];

const WORKLOAD_NAMES = [
  "bytesPerTrajectory",
  "trajectoriesPerObject",
  "exportsPerTrajectory",
] as const satisfies readonly (keyof Workload)[];

/** Doubles the figures one by one; sorted by what they change. */
export function sensitivities(workload: Workload, shape: DeploymentShape): readonly Sensitivity[] {
  const base = sumOf(costOf(workload, shape).work);
  const change = (usd: number): number => (base === 0 ? 0 : usd / base - 1);
  const values = inputValues();
  const ofInputs = INPUT_NAMES.map((name) => {
    const doubled = inputValues({ [name]: 2 * values[name] });
    return { name, change: change(sumOf(costOf(workload, shape, doubled).work)) };
  });
  const ofWorkload = WORKLOAD_NAMES.map((name) => {
    const doubled = { ...workload, [name]: 2 * workload[name] };
    return { name, change: change(sumOf(costOf(doubled, shape).work)) };
  });
  return [...ofInputs, ...ofWorkload].sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
}

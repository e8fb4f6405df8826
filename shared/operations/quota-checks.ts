import { type DeploymentConfig, stagesOf } from "../contracts/deployment-config.ts";
import type { AccountFacts, VcpuQuotas } from "./account-facts.ts";
import { type DeployCheck, fail, judged, ok, warn } from "./deploy-check.ts";

/** Lambda does not let an account reserve its last hundred. */
const KEPT_UNRESERVED = 100;
const ASK = "ask for more in the Service Quotas console";

/** Whether the account may run as many copies of the functions as the configuration says. */
export function concurrencyCheck(
  config: Pick<DeploymentConfig, "functions" | "loop">,
  { concurrency, stack }: Pick<AccountFacts, "concurrency" | "stack">,
): DeployCheck {
  const name = "function concurrency";
  const { functions } = config;
  const stages = stagesOf(config);
  return judged(name, concurrency, ({ limit, unreserved }) => {
    const reserved = stages.reduce((sum, stage) => sum + (functions[stage].reservedConcurrency ?? 0), 0);
    const shared = stages.reduce((sum, stage) => {
      const { reservedConcurrency, maxConcurrency } = functions[stage];
      return reservedConcurrency === undefined ? sum + maxConcurrency : sum;
    }, 0);
    // What a deployment that stands has reserved is off the account's rest already.
    const isNew = stack.kind === "known" && stack.value === null;
    const left = isNew ? unreserved - reserved : unreserved;
    if (reserved > 0 && isNew && left < KEPT_UNRESERVED) {
      return fail(
        name,
        `${reserved} are to be reserved of ${unreserved}, and ${KEPT_UNRESERVED} must stay unreserved`,
        `leave reservedConcurrency out, or ${ASK} (Lambda, Concurrent executions)`,
      );
    }
    const starved = stages.filter((stage) => {
      const { reservedConcurrency, maxConcurrency } = functions[stage];
      return reservedConcurrency !== undefined && reservedConcurrency < maxConcurrency;
    });
    if (starved.length > 0) {
      return warn(
        name,
        `${starved.join(", ")} reserves less than its maxConcurrency: its queue starts more than may run`,
        "make maxConcurrency at most reservedConcurrency",
      );
    }
    if (shared > left) {
      return warn(
        name,
        `functions may want ${shared} at a time, the account has ${left} of ${limit} for them`,
        `lower maxConcurrency, or ${ASK} (Lambda, Concurrent executions)`,
      );
    }
    return ok(name, `${shared} of ${left} at a time`);
  });
}

/** Whether Batch may start the machines that the configuration says. */
export function vcpuChecks(
  { batch }: Pick<DeploymentConfig, "batch">,
  { machines, gpuMachines }: Pick<AccountFacts, "machines" | "gpuMachines">,
): readonly DeployCheck[] {
  const { maxVcpus, job, gpu } = batch;
  const checks = [
    ...marketChecks("machines", { quotas: machines, wanted: maxVcpus, spot: true }),
    ...(canStart(machines, job.vcpus)
      ? []
      : [
          fail(
            "machines",
            `no quota allows the ${job.vcpus} vCPUs of one job: none would ever start`,
            `${ASK} (EC2), or lower batch.job.vcpus`,
          ),
        ]),
  ];
  if (gpuMachines === undefined)
    return [...checks, ok("GPU machines", "none wanted (batch.gpu.maxVcpus is 0)")];
  return [
    ...checks,
    ...marketChecks("GPU machines", { quotas: gpuMachines, wanted: gpu.maxVcpus, spot: gpu.spot }),
  ];
}

/** Spot comes first where it is wanted, on demand takes what Spot has not: neither alone is needed. */
function marketChecks(
  what: string,
  { quotas, wanted, spot }: { readonly quotas: VcpuQuotas; readonly wanted: number; readonly spot: boolean },
): readonly DeployCheck[] {
  const market = (name: string, fact: VcpuQuotas["spot"]): DeployCheck =>
    judged(name, fact, (quota) =>
      quota >= wanted
        ? ok(name, `${quota} vCPUs, jobs take at most ${wanted}`)
        : warn(name, `${quota} vCPUs of the ${wanted} that jobs may take`, `${ASK} (EC2), or let jobs wait`),
    );
  const onDemand = market(`${what}, on demand`, quotas.onDemand);
  return spot ? [market(`${what}, Spot`, quotas.spot), onDemand] : [onDemand];
}

/** What is not known may be enough. */
function canStart({ spot, onDemand }: VcpuQuotas, vcpus: number): boolean {
  return [spot, onDemand].some((fact) => fact.kind === "unknown" || fact.value >= vcpus);
}

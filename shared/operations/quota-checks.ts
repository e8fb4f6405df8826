import { type DeploymentConfig, STAGES } from "../contracts/deployment-config.ts";
import type { AccountFacts, VcpuQuotas } from "./account-facts.ts";
import { type DeployCheck, fail, judged, ok, warn } from "./deploy-check.ts";

/** Lambda does not let an account reserve its last hundred. */
const KEPT_UNRESERVED = 100;
const ASK = "ask for more in the Service Quotas console";

/** Whether the account may run as many copies of the functions as the configuration says. */
export function concurrencyCheck(
  { functions }: Pick<DeploymentConfig, "functions">,
  { concurrency, stack }: Pick<AccountFacts, "concurrency" | "stack">,
): DeployCheck {
  const name = "function concurrency";
  return judged(name, concurrency, ({ limit, unreserved }) => {
    const reserved = STAGES.reduce((sum, stage) => sum + (functions[stage].reservedConcurrency ?? 0), 0);
    const shared = STAGES.reduce((sum, stage) => {
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
    const starved = STAGES.filter((stage) => {
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
  quotas: VcpuQuotas,
): readonly DeployCheck[] {
  const { maxVcpus, job, gpu } = batch;
  const standard = (name: string, fact: VcpuQuotas["standardSpot"]): DeployCheck =>
    judged(name, fact, (quota) => {
      if (quota < job.vcpus) {
        return fail(
          name,
          `${quota} vCPUs, fewer than one job needs (${job.vcpus}): none would ever start`,
          `${ASK} (EC2), or lower batch.job.vcpus`,
        );
      }
      if (quota < maxVcpus) {
        return warn(name, `${quota} vCPUs of the ${maxVcpus} that jobs may take`, `${ASK} (EC2)`);
      }
      return ok(name, `${quota} vCPUs, jobs take at most ${maxVcpus}`);
    });
  const checks = [
    standard("Spot machines", quotas.standardSpot),
    standard("on-demand machines", quotas.standardOnDemand),
  ];
  if (quotas.gpu === undefined)
    return [...checks, ok("GPU machines", "none wanted (batch.gpu.maxVcpus is 0)")];
  const name = gpu.spot ? "GPU machines, Spot" : "GPU machines, on demand";
  const wanted = gpu.maxVcpus;
  return [
    ...checks,
    judged(name, quotas.gpu, (quota) =>
      quota >= wanted
        ? ok(name, `${quota} vCPUs, training takes at most ${wanted}`)
        : warn(
            name,
            `${quota} vCPUs of the ${wanted} that training may take${quota === 0 ? ": it would wait for ever" : ""}`,
            `${ASK} (EC2); new accounts have none. Everything but training works without`,
          ),
    ),
  ];
}

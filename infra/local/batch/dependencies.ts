import { childId, type Dependency, type Job, type JobStatus } from "./job.ts";

/** Whether a job may run, must wait, or can never run because one it needs failed. */
export type Readiness = "ready" | "waiting" | "doomed";

/** Looks at every dependency of a job; one failure settles it, whatever the others do. */
export function readiness(
  job: Pick<Job, "role" | "dependsOn">,
  statusOf: (id: string) => JobStatus | undefined,
): Readiness {
  const statuses = job.dependsOn
    .map((dependency) => neededJob(job, dependency))
    .filter((id) => id !== undefined)
    .map(statusOf);
  if (statuses.includes("FAILED")) return "doomed";
  return statuses.every((status) => status === "SUCCEEDED") ? "ready" : "waiting";
}

/** The one job that a dependency means for this job; undefined for the first of a sequence. */
function neededJob({ role }: Pick<Job, "role">, dependency: Dependency): string | undefined {
  switch (dependency.type) {
    case "JOB":
      return dependency.jobId;
    case "N_TO_N":
      return role.kind === "child" ? childId(dependency.jobId, role.index) : dependency.jobId;
    case "SEQUENTIAL":
      return role.kind === "child" && role.index > 0 ? childId(role.parent, role.index - 1) : undefined;
  }
}

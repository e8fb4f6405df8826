import type { z } from "zod";
import type { Catalogue } from "./catalogue.ts";
import { ClientException } from "./errors.ts";
import type { Job } from "./job.ts";
import { jobSummary } from "./job-detail.ts";
import type { JobTable } from "./job-table.ts";
import { listJobsSchema, parseRequest } from "./requests.ts";

interface Setting {
  readonly table: JobTable;
  readonly catalogue: Catalogue;
}

type Request = z.output<typeof listJobsSchema>;
type Filter = Request["filters"][number];

/**
 * Jobs of a queue, the newest first, or children of an array by index. Without a filter or a status it lists
 * running jobs only, as AWS does.
 * @throws ClientException
 */
export function listJobs({ table, catalogue }: Setting, body: unknown): object {
  const request = parseRequest(listJobsSchema, body);
  const [filter] = request.filters;
  const all = source({ table, catalogue }, request);
  const matching = (job: Job): boolean =>
    filter === undefined ? job.status === (request.jobStatus ?? "RUNNING") : passes(filter, job);
  const rest = after(all, request.nextToken).filter(matching);
  const size = Math.min(request.maxResults ?? 1000, filter === undefined ? 1000 : 100);
  const listed = rest.slice(0, size);
  const last = listed.at(-1);
  return {
    jobSummaryList: listed.map(jobSummary),
    nextToken: last !== undefined && rest.length > size ? last.id : undefined,
  };
}

function source({ table, catalogue }: Setting, { jobQueue, arrayJobId }: Request): readonly Job[] {
  if ((jobQueue === undefined) === (arrayJobId === undefined)) {
    throw new ClientException("give either jobQueue or arrayJobId");
  }
  if (arrayJobId !== undefined) {
    if (table.get(arrayJobId)?.role.kind === "parent") return table.children(arrayJobId);
    throw new ClientException(`Job ${arrayJobId} is no array job`);
  }
  const { name } = catalogue.queue(jobQueue ?? "");
  return [...table.all()].filter(({ queue, role }) => queue === name && role.kind !== "child").reverse();
}

/** A page's token is the job it ended with: that stands still while other jobs come and change. */
function after(jobs: readonly Job[], token: string | undefined): readonly Job[] {
  if (token === undefined) return jobs;
  const index = jobs.findIndex(({ id }) => id === token);
  if (index < 0) throw new ClientException("nextToken is not valid");
  return jobs.slice(index + 1);
}

function passes(filter: Filter, job: Job): boolean {
  const [value = ""] = filter.values;
  switch (filter.name) {
    case "JOB_NAME":
      return matches(value.toLowerCase(), job.name.toLowerCase());
    case "JOB_DEFINITION": {
      const named = job.definition.slice(job.definition.lastIndexOf("/") + 1).replace(/:\d+$/, "");
      return value.startsWith("arn:") ? value === job.definition : matches(value, named);
    }
    case "BEFORE_CREATED_AT":
      return job.createdAt < Number(value);
    case "AFTER_CREATED_AT":
      return job.createdAt > Number(value);
  }
}

function matches(pattern: string, text: string): boolean {
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

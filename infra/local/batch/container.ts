import { z } from "zod";

const nameValue = z.object({ name: z.string().min(1), value: z.string().default("") });
const resourceRequirement = z.object({
  type: z.enum(["VCPU", "MEMORY", "GPU"]),
  value: z.coerce.string().regex(/^\d+(\.\d+)?$/, "must be a number"),
});
const linuxParameters = z.object({
  initProcessEnabled: z.boolean().optional(),
  /** MiB. */
  sharedMemorySize: z.number().int().positive().optional(),
  tmpfs: z
    .array(
      z.object({
        containerPath: z.string(),
        /** MiB. */
        size: z.number().int().positive(),
        mountOptions: z.array(z.string()).optional(),
      }),
    )
    .optional(),
  /** MiB. */
  maxSwap: z.number().int().min(0).optional(),
});

/**
 * The parts of a container's properties that the runner reads; it drops the others (roles, logging, networks).
 * @see https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html
 */
export const containerSchema = z.object({
  image: z.string().min(1),
  command: z.array(z.string()).default([]),
  environment: z.array(nameValue).default([]),
  secrets: z.array(z.object({ name: z.string(), valueFrom: z.string() })).default([]),
  resourceRequirements: z.array(resourceRequirement).default([]),
  vcpus: z.number().optional(),
  memory: z.number().optional(),
  user: z.string().optional(),
  privileged: z.boolean().optional(),
  readonlyRootFilesystem: z.boolean().optional(),
  ulimits: z
    .array(z.object({ name: z.string(), softLimit: z.number().int(), hardLimit: z.number().int() }))
    .default([]),
  volumes: z
    .array(z.object({ name: z.string(), host: z.object({ sourcePath: z.string().optional() }).optional() }))
    .default([]),
  mountPoints: z
    .array(
      z.object({
        sourceVolume: z.string(),
        containerPath: z.string(),
        readOnly: z.boolean().default(false),
      }),
    )
    .default([]),
  linuxParameters: linuxParameters.optional(),
});

export type Container = z.output<typeof containerSchema>;

/** @see https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerOverrides.html */
export const containerOverridesSchema = z.object({
  command: z.array(z.string()).optional(),
  environment: z
    .array(nameValue)
    .refine((all) => all.every(({ name }) => !name.startsWith("AWS_BATCH")), {
      message: "names that start with AWS_BATCH are reserved",
    })
    .optional(),
  resourceRequirements: z.array(resourceRequirement).optional(),
  vcpus: z.number().positive().optional(),
  memory: z.number().positive().optional(),
});

export type ContainerOverrides = z.output<typeof containerOverridesSchema>;

/** An override replaces the command, and single variables and requirements by their name or type. */
export function override(container: Container, overrides: ContainerOverrides = {}): Container {
  const legacy = [
    ...(overrides.vcpus === undefined ? [] : [{ type: "VCPU" as const, value: `${overrides.vcpus}` }]),
    ...(overrides.memory === undefined ? [] : [{ type: "MEMORY" as const, value: `${overrides.memory}` }]),
  ];
  const requirements = [...legacy, ...(overrides.resourceRequirements ?? [])];
  return {
    ...container,
    command: overrides.command ?? container.command,
    environment: mergeBy(container.environment, overrides.environment ?? [], ({ name }) => name),
    resourceRequirements: mergeBy(container.resourceRequirements, requirements, ({ type }) => type),
  };
}

/**
 * Puts the values of `Ref::name` into a command. Placeholders are whole words of the command; one whose parameter
 * nobody gave stays as it is.
 * @see https://docs.aws.amazon.com/batch/latest/userguide/job_definition_parameters.html
 */
export function substitute(
  command: readonly string[],
  parameters: Readonly<Record<string, string>>,
): readonly string[] {
  const values = new Map(Object.entries(parameters));
  return command.map((word) =>
    word.startsWith("Ref::") ? (values.get(word.slice("Ref::".length)) ?? word) : word,
  );
}

/** What a job takes up on a host: vCPUs, and memory in MiB. */
export interface Need {
  readonly vcpus: number;
  readonly memory: number;
}

export function needOf(container: Container): Need {
  const amount = (type: "VCPU" | "MEMORY"): number | undefined => {
    const found = container.resourceRequirements.find((requirement) => requirement.type === type);
    return found === undefined ? undefined : Number(found.value);
  };
  return {
    vcpus: amount("VCPU") ?? container.vcpus ?? 1,
    memory: amount("MEMORY") ?? container.memory ?? 0,
  };
}

function mergeBy<T>(base: readonly T[], over: readonly T[], key: (item: T) => string): T[] {
  return [...new Map([...base, ...over].map((item) => [key(item), item])).values()];
}

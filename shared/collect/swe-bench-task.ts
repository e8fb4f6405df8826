import { z } from "zod";

/**
 * A row of SWE-bench and its kin (https://www.swebench.com; fields as in princeton-nlp/SWE-bench_Verified). Lists of
 * tests come as lists or, in the published data sets, as JSON text of one.
 */
const tests = z.union([z.array(z.string()), z.string()]).transform((value, context) => {
  if (typeof value !== "string") return value;
  const list = z.array(z.string()).safeParse(jsonOr(value));
  if (list.success) return list.data;
  context.addIssue({ code: "custom", message: "neither a list of tests nor JSON text of one" });
  return z.NEVER;
});

const row = z.looseObject({
  instance_id: z.string().min(1),
  problem_statement: z.string().min(1),
  repo: z.string().min(1),
  base_commit: z.string().regex(/^[0-9a-f]{7,64}$/i, "no commit"),
  test_patch: z.string().nullish(),
  FAIL_TO_PASS: tests.nullish(),
  PASS_TO_PASS: tests.nullish(),
  patch: z.string().nullish(),
  version: z.union([z.string(), z.number()]).nullish(),
  /** Named by sets that come with images. */
  image: z.string().nullish(),
  image_name: z.string().nullish(),
  docker_image: z.string().nullish(),
  difficulty: z.string().nullish(),
  language: z.string().nullish(),
  test_cmd: z.string().nullish(),
  test_command: z.string().nullish(),
  environment_setup_commit: z.string().nullish(),
  created_at: z.union([z.string(), z.number()]).nullish(),
  hints_text: z.string().nullish(),
});

type Row = z.infer<typeof row>;

export type SweBenchTask =
  | { readonly kind: "task"; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: "wrong"; readonly reason: string };

export function isSweBenchRow(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && "instance_id" in value && "problem_statement" in value
  );
}

/**
 * The row as a task of the sandbox. The reference patch is left behind, as are hints: neither may reach an agent or a
 * training set. Only its size is used, for the difficulty where the row names none: fewer than 10 changed lines are
 * easy, fewer than 50 medium. `repositories`: folder of clones, each `<owner>__<name>`; without it the image must hold
 * the repository at its workspace.
 */
export function sweBenchTask(
  value: unknown,
  { repositories }: { readonly repositories?: string } = {},
): SweBenchTask {
  const read = row.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    const field = issue?.path.map(String).join(".") ?? "";
    return {
      kind: "wrong",
      reason: `a row of SWE-bench needs ${field || "its fields"} (${issue?.message ?? "not valid"}); correct it, or leave out instance_id for a task of another kind`,
    };
  }
  const { data } = read;
  const difficulty = data.difficulty ?? difficultyOf(data.patch);
  const more = {
    benchmark: "swe-bench",
    version: data.version,
    environment_setup_commit: data.environment_setup_commit,
    created_at: data.created_at,
  };
  return {
    kind: "task",
    value: {
      id: data.instance_id,
      description: data.problem_statement,
      repo: data.repo,
      base_commit: data.base_commit,
      domain: "coding",
      language: data.language ?? "python",
      ...(difficulty === undefined ? {} : { difficulty }),
      metadata: Object.fromEntries(Object.entries(more).filter(([, each]) => each != null)),
      sandbox: sandboxOf(data, repositories),
    },
  };
}

/** Where the hidden patch lies while the tests are put in. */
const PATCH = ".gymline-tests.patch";

/**
 * As the benchmark's own harness judges: files that the test patch touches are put back to the commit, the patch is
 * applied, and the tests that failed must pass as must those that passed. A row without a test command gets pytest's
 * where its tests are named as pytest names them; else the task has no verdict.
 */
function sandboxOf(data: Row, repositories: string | undefined): Readonly<Record<string, unknown>> {
  const tests = [...(data.FAIL_TO_PASS ?? []), ...(data.PASS_TO_PASS ?? [])];
  const pytest =
    tests.length > 0 && tests.every((test) => test.includes("::"))
      ? `"$(command -v python || command -v python3)" -m pytest -q ${tests.map(quoted).join(" ")}`
      : undefined;
  const command = data.test_cmd ?? data.test_command ?? pytest;
  const image = data.image ?? data.image_name ?? data.docker_image;
  const patch = data.test_patch ?? "";
  const restored = patchedFiles(patch).map(
    (file) =>
      `{ git checkout -q ${data.base_commit} -- ${quoted(file)} 2>/dev/null || rm -f -- ${quoted(file)}; }`,
  );
  const applied = [...restored, `git apply --whitespace=nowarn ${PATCH}`, `rm -f ${PATCH}`];
  const lines = patch === "" ? [] : applied;
  return {
    ...(image == null ? {} : { image }),
    ...(repositories === undefined ? {} : { repo: `${repositories}/${data.repo.replace("/", "__")}` }),
    base_commit: data.base_commit,
    ...(command === undefined ? {} : { test_command: [...lines, command].join(" && ") }),
    ...(patch === "" ? {} : { hidden_tests: { [PATCH]: patch } }),
    ...(command === pytest && tests.length > 0 ? { min_tests_passed: tests.length } : {}),
  };
}

/** Both sides of each file of a diff. */
function patchedFiles(patch: string): readonly string[] {
  const names = [...patch.matchAll(/^(?:---|\+\+\+) [ab]\/(.+?)\r?$/gm)].map(([, name = ""]) => name);
  return [...new Set(names)];
}

/** For `sh`. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function difficultyOf(patch: string | null | undefined): string | undefined {
  if (patch == null) return undefined;
  const changed = patch.split("\n").filter((line) => /^[+-](?![+-]{2} )/.test(line)).length;
  return changed < 10 ? "easy" : changed < 50 ? "medium" : "hard";
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

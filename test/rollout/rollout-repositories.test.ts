import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  carriedTasks,
  fetchRepositories,
  uploadRepositories,
} from "../../containers/gymline/rollout-repositories.ts";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import { GitRepositories } from "../../shared/adapters/local/git-repositories.ts";
import { repairRepository } from "../factories/repair-task.ts";
import { temporaryFolder } from "../factories/temporary.ts";

describe("repositories that go along with a rollout", () => {
  it("are checked out by a job at any of their commits, without a path of the machine they come from", async () => {
    const { repo, base, fixed } = repairRepository(temporaryFolder("repository"));
    const given = [
      { id: "a", sandbox: { repo, setup: ["true"] } },
      { id: "b", sandbox: { repo } },
      { id: "c", description: "none" },
    ];
    const { tasks, repositories } = carriedTasks(given);
    expect(JSON.stringify(tasks)).not.toContain(repo);
    expect(tasks[2]).toEqual(given[2]);
    expect(tasks[0]).toMatchObject({ sandbox: { setup: ["true"] } });
    expect(repositories).toHaveLength(1);
    const store = new DirectoryStore(temporaryFolder("store"));
    await uploadRepositories(store, { name: "r", repositories });
    const folder = join(temporaryFolder("job"), "repositories");
    await fetchRepositories(store, { name: "r", tasks, folder });
    const engine = new GitRepositories(folder);
    const bundle = repositories[0]?.bundle ?? "";
    for (const commit of [base, fixed]) {
      const found = await engine.checkout({ repo: bundle, commit, hideHistory: false }, async (checkout) => {
        for await (const _ of checkout.archive);
        return checkout.commit;
      });
      expect(found).toBe(commit);
    }
  });

  it("must be there", () => {
    expect(() => carriedTasks([{ id: "a", sandbox: { repo: "absent" } }])).toThrow(
      /task a begins from .*absent/,
    );
  });
});

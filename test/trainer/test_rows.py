import json
import math
import re
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import tiny
from sets import opened

from gymline_trainer.checks import Needs
from gymline_trainer.columns import TARGETS
from gymline_trainer.errors import DataError, TrainerError
from gymline_trainer.rows import open_dataset

MAKE = {
    "sft": lambda: [tiny.sft_row(number) for number in range(3)],
    "dpo": lambda: [tiny.dpo_row(number) for number in range(3)],
    "grpo": lambda: tiny.grpo_rows("g", [0.1, 0.9, 0.5]),
    "prm": lambda: [tiny.prm_row(number) for number in range(3)],
}
FORMATS = {"sft": "sft-messages", "dpo": "trl-dpo", "grpo": "grpo-offline", "prm": "trl-prm"}


def faults_of(tmp_path, rows, algorithm="sft", needs=Needs()):
    with pytest.raises(DataError) as caught:
        opened(tmp_path, rows, algorithm, needs)
    return str(caught.value)


@pytest.mark.parametrize("algorithm", FORMATS)
def test_versions_are_read_by_split_and_shard(tmp_path, algorithm):
    rows = MAKE[algorithm]()
    splits = {"train": rows, "validation": rows[:2] if algorithm != "grpo" else rows}
    folder = tiny.write_dataset(tmp_path / "set", FORMATS[algorithm], splits, shard_rows=2)
    dataset = open_dataset(str(folder), algorithm)
    assert (len(dataset), dataset.version.name, len(dataset.version.version)) == (3, "tiny", 12)
    samples = list(dataset)
    assert [(sample.file.rsplit("/", 1)[1], sample.row) for sample in samples] == [
        ("train-00000.jsonl", 1),
        ("train-00000.jsonl", 2),
        ("train-00001.jsonl", 1),
    ]
    assert len(open_dataset(str(folder), algorithm, "validation")) == len(splits["validation"])
    with pytest.raises(DataError, match="no split `test`; it has: train, validation"):
        open_dataset(str(folder), algorithm, "test")


def test_prompt_and_completion_are_a_conversation_whose_completion_is_learnt(tmp_path):
    messages = tiny.conversation(2)
    row = {"prompt": messages[:4], "completion": messages[4:], "tools": None, **tiny.origin(1, 0.5)}
    (sample,) = opened(tmp_path, [row])
    assert sample.messages == messages and sample.tools is None
    assert [index for index, is_trained in enumerate(sample.trained) if is_trained] == [4, 6]


def test_parquet_gives_what_json_lines_give(tmp_path):
    rows = [tiny.sft_row(number, steps=number, rewards=[0.5]) for number in range(3)]
    texts = [{**row, "messages": [json.dumps(message) for message in row["messages"]]} for row in rows]
    path = tmp_path / "train.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(texts), path)
    taken = lambda dataset: [(sample.messages, sample.tools, sample.trained, sample.step_rewards, sample.id) for sample in dataset]
    assert taken(open_dataset(str(path), "sft")) == taken(opened(tmp_path, rows))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="train.parquet.*no Parquet file, or is cut short|no rows that can be read"):
        open_dataset(str(path), "sft")


def test_arguments_are_objects_even_where_a_file_has_them_as_text(tmp_path):
    row = tiny.sft_row(steps=1)
    row["messages"][2]["tool_calls"][0]["function"]["arguments"] = '{"command": "ls"}'
    (sample,) = opened(tmp_path, [row])
    assert sample.messages[2]["tool_calls"][0]["function"]["arguments"] == {"command": "ls"}


def test_all_faults_are_named_in_one_go_with_file_line_and_remedy(tmp_path):
    rows = [tiny.sft_row(number) for number in range(5)]
    rows[0]["messages"][2] = {"role": "assistant", "content": "  "}
    rows[2]["weights"] = [0] * 7
    rows[3]["reward"] = math.nan
    rows[4]["step_rewards"] = [0.5]
    lines = faults_of(tmp_path, rows).splitlines()
    assert [line.split(" (")[0] for line in lines] == [f"rows.jsonl:{row}" for row in (1, 3, 4, 5)]
    assert "message 2 of the agent is empty; set its weight to 0, or leave the row out" in lines[0]
    assert "no message of the agent to learn from; leave the row out" in lines[1]
    assert "the reward is nan; score the trajectory anew" in lines[2]
    assert "`step_rewards` does not have one entry for each of the 7 messages" in lines[3]
    assert rows[0]["id"][:16] in lines[0]


def test_twenty_faults_are_shown_and_the_rest_counted(tmp_path):
    rows = [tiny.sft_row(number, reward=math.inf) for number in range(25)]
    lines = faults_of(tmp_path, rows).splitlines()
    assert len(lines) == 21 and lines[-1] == "… and 5 more"


def test_messages_never_quote_content(tmp_path):
    row = tiny.sft_row()
    row["messages"][2]["content"] = {"secret": "hunter2"}
    text = faults_of(tmp_path, [row])
    assert "message 2 of `messages` has a content that is no text" in text and "hunter2" not in text


def test_unknown_columns_are_named_with_the_one_that_may_be_meant(tmp_path):
    row = tiny.sft_row()
    row["step_reward"] = row.pop("step_rewards")
    row["extra"] = 1
    text = faults_of(tmp_path, [row])
    assert "unknown columns: `step_reward` (did you mean `step_rewards`?), `extra`" in text
    misspelt = {**tiny.dpo_row(), "choosen": []}
    del misspelt["chosen"]
    text = faults_of(tmp_path, [misspelt], "dpo")
    assert "`choosen` (did you mean `chosen`?)" in text and "it lacks `chosen`" in text


@pytest.mark.parametrize("algorithm", FORMATS)
def test_a_dataset_for_something_else_is_refused_with_what_to_export(tmp_path, algorithm):
    for other, format in FORMATS.items():
        if other == algorithm:
            continue
        folder = tiny.write_dataset(tmp_path / f"{algorithm}-{other}", format, {"train": MAKE[other]()})
        with pytest.raises(DataError, match=f"format `{format}`, which is not for {algorithm}; .*gymline export --target"):
            open_dataset(str(folder), algorithm)
        assert f"not for {algorithm}" in faults_of(tmp_path, MAKE[other](), algorithm)


def test_files_that_are_not_what_the_manifest_says_are_named(tmp_path):
    def version(name):
        return tiny.write_dataset(tmp_path / name, "sft-messages", {"train": MAKE["sft"]()}, shard_rows=1)

    changed = version("changed")
    path = changed / "train-00001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Fix the fault.", b"Fix the fauld."))
    with pytest.raises(DataError, match="train-00001.jsonl: its SHA-256 is not the one in the manifest"):
        open_dataset(str(changed), "sft")
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(DataError, match=r"it has \d+ bytes, \d+ in the manifest"):
        open_dataset(str(changed), "sft")
    gone = version("gone")
    (gone / "train-00002.jsonl").unlink()
    with pytest.raises(DataError, match="the manifest lists it, but it is not there; export"):
        open_dataset(str(gone), "sft")
    counted = version("counted")
    manifest = json.loads((counted / "manifest.json").read_text())
    manifest["files"][0]["rows"] = 7
    (counted / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="it has 1 rows, 7 in the manifest"):
        open_dataset(str(counted), "sft")


def test_what_is_no_finished_version_says_what_to_give_instead(tmp_path):
    tiny.write_dataset(tmp_path / "name/0123456789ab", "sft-messages", {"train": MAKE["sft"]()})
    with pytest.raises(DataError, match="name one of its versions: 0123456789ab"):
        open_dataset(str(tmp_path / "name"), "sft")
    (tmp_path / "unfinished").mkdir()
    with pytest.raises(DataError, match="no finished dataset version; export"):
        open_dataset(str(tmp_path / "unfinished"), "sft")
    with pytest.raises(DataError, match="no such file or folder"):
        open_dataset(str(tmp_path / "nothing"), "sft")
    for text in ("{", "[]", '{"schema": "gymline.dataset.v1"}'):
        (tmp_path / "unfinished/manifest.json").write_text(text)
        with pytest.raises(DataError, match="it is no manifest of a dataset"):
            open_dataset(str(tmp_path / "unfinished"), "sft")


def test_a_manifest_cannot_lead_out_of_its_folder(tmp_path):
    folder = tiny.write_dataset(tmp_path / "set", "sft-messages", {"train": MAKE["sft"]()})
    manifest = json.loads((folder / "manifest.json").read_text())
    for path in ("../rows.jsonl", "/etc/passwd"):
        manifest["files"][0]["path"] = path
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(DataError, match="it is no manifest"):
            open_dataset(str(folder), "sft")


def test_lines_that_are_no_objects_are_numbered(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([json.dumps(tiny.sft_row()), "{", "", "[1]", '"\\ud800']) + "\n")
    with pytest.raises(DataError) as caught:
        open_dataset(str(path), "sft")
    assert [fault.row for fault in caught.value.faults] == [2, 4, 5]
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(DataError, match="no rows that can be read"):
        open_dataset(str(path), "sft")


def test_groups_of_one_missing_rewards_and_torn_groups_are_named(tmp_path):
    alone = tiny.grpo_rows("alone", [0.5])
    text = faults_of(tmp_path, [*tiny.grpo_rows("g", [0.1, 0.9], first=5), *alone], "grpo")
    assert text.startswith("rows.jsonl:3") and "its group `alone` has one attempt" in text
    missing = tiny.grpo_rows("g", [0.1, 0.9])
    missing[1]["reward"] = None
    text = faults_of(tmp_path, missing, "grpo")
    assert text.count("\n") == 0 and "the reward is missing; score the trajectory" in text
    torn = faults_of(tmp_path, tiny.grpo_rows("g", [0.1, 0.9, 0.5])[:2], "grpo")
    assert "its group `g` has 3 attempts, of which 2 are here" in torn
    text = faults_of(tmp_path, tiny.grpo_rows("g", [0.1, math.nan]), "grpo")
    assert "the reward is nan" in text


def test_steps_rewards_are_asked_for_where_an_option_uses_them(tmp_path):
    needs = Needs(step_rewards=True)
    text = faults_of(tmp_path, [tiny.sft_row(0, rewards=[0.5]), tiny.sft_row(1)], needs=needs)
    assert text.startswith("rows.jsonl:2") and "no step has a reward" in text
    assert len(opened(tmp_path, [tiny.sft_row(0, rewards=[None, 0.5])], needs=needs)) == 1
    text = faults_of(tmp_path, [tiny.sft_row(0, rewards=[math.nan, 0.5])])
    assert "step reward 2 is nan" in text


def test_faults_of_pairs(tmp_path):
    rows = [tiny.dpo_row(number) for number in range(5)]
    rows[0]["rejected"] = rows[0]["chosen"]
    rows[1]["chosen"] = []
    rows[2]["prompt"] = []
    rows[3]["chosen"] = [{"role": "assistant", "content": ""}]
    rows[4]["margin"] = None
    text = faults_of(tmp_path, rows, "dpo", Needs(margin=True))
    expected = ["are the same", "`chosen` does not begin with a message of the agent", "the prompt is empty", "is empty", "the margin is missing"]
    assert all(part in line for part, line in zip(expected, text.splitlines(), strict=True))


def test_faults_of_judged_steps(tmp_path):
    rows = [tiny.prm_row(number) for number in range(5)]
    rows[0]["labels"] = [True]
    rows[1]["soft_labels"] = [0.5, math.nan]
    rows[2]["soft_labels"] = [0.5, 1.5]
    rows[3]["completions"] = ["a", " "]
    rows[4].update(completions=[], labels=[], soft_labels=[])
    text = faults_of(tmp_path, rows, "prm")
    expected = ["differ in number", "soft label 1 is nan", "soft label 1 is not in [0, 1]", "step 1 is empty", "it has no steps"]
    assert all(part in line for part, line in zip(expected, text.splitlines(), strict=True))


def test_log_probabilities_must_fit_their_tokens(tmp_path):
    rows = tiny.grpo_rows("g", [0.1, 0.9])
    for row, logs in zip(rows, ([-0.5], [-0.5, math.nan])):
        row["completion_token_ids"] = [None, None, [1, 2], None, None, None, None]
        row["logprobs"] = [None, None, logs, None, None, None, None]
    text = faults_of(tmp_path, rows, "grpo")
    assert "message 2 has 2 tokens and 1 log-probabilities" in text and "no finite number up to 0" in text


def test_an_algorithm_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(TrainerError, match="there is no algorithm `ppo`; there are sft, dpo, grpo, prm"):
        open_dataset(str(tmp_path), "ppo")


def test_the_columns_of_each_target_are_those_that_are_exported():
    text = (Path(__file__).parents[2] / "docs/TARGETS.md").read_text()
    for name, target in TARGETS.items():
        (section,) = re.findall(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
        assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(target.columns), name
        assert f"Format in the manifest: `{target.format}`" in section


def test_a_manifest_of_an_unknown_schema_is_refused(tmp_path):
    folder = tiny.write_dataset(tmp_path / "set", "sft-messages", {"train": MAKE["sft"]()})
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace("dataset.v2", "dataset.v1"))
    assert len(open_dataset(str(folder), "sft")) == 3
    (folder / "manifest.json").write_text(text.replace("dataset.v2", "dataset.v9"))
    with pytest.raises(DataError, match="its schema is not gymline.dataset.v1 or gymline.dataset.v2; use the trainer"):
        open_dataset(str(folder), "sft")
